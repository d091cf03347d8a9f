import { askedIn } from "./asked.js";

/*
 * Stretches of a text whose letters nobody claims: another's opinion, what would be so under a condition, what is
 * asked, and "not only A". Every expression here is held against one clause or sentence of a bounded length.
 */

const words = (text: string): string => `(?<![\\p{L}\\p{M}\\p{N}])(?:${text})(?![\\p{L}\\p{M}\\p{N}])`;

/** Who holds an opinion that is not the reply's own, with the verb of it; of some languages in one expression. */
const OTHERS = new RegExp(
  [
    words(
      "(?<!as )(?:users?|students?|pupils?|people|persons?|someone|somebody|everyone|" +
        "everybody|others|they|he|she|you|friends?|" +
        "teachers?|professors?|critics|many|most|some|questioner|asker|classmates?|" +
        "colleagues?)(?: [\\p{L}']{1,12}){0,2}? " +
        "(?:thinks?|thought|believes?|believed|says?|said|claims?|claimed|assumes?|" +
        "assumed|insists?|insisted|suspects?|" +
        "suspected|guess(?:es|ed)?|argues?|argued|suggests?|suggested|stated|answered|replied|proposed?|" +
        "expects?|hopes?)",
    ),
    words("one (?:might|could|may) (?:think|believe|say|assume)|tempting to (?:choose|pick|select|say|think)|whether"),
    words("(?:user|student|pupil|friend|teacher)['’]s (?:own )?(?:answer|choice|guess|opinion|pick)"),
    words(
      "(?:Nutzer|Nutzerin|Benutzer|Schüler|Schülerin|Student|Studentin|Studenten|Leute|" +
        "viele|manche|jemand|Frage\\p{L}*r|" +
        "Sie|du|er|andere|Lehrer)(?: \\p{L}{1,12})? (?:denkt|denken|denkst|glaubt|glauben|" +
        "glaubst|meint|meinen|meinst|" +
        "sagt|sagen|sagst|behauptet|behaupten|vermutet|vermuten)",
    ),
    words("(?:glauben|denken|meinen) (?:viele|manche|Sie)"),
    words(
      "(?:utilisateur|utilisatrice|élève|élèves|étudiant|étudiante|étudiants|gens|" +
        "certains|beaucoup|vous|tu|il|elle|ils)" +
        "(?: \\p{L}{1,12})? (?:pense|penses|pensent|pensez|croit|crois|croient|croyez|dit|disent|dites|affirme|" +
        "affirment|prétend|prétendent|suppose|supposent)",
    ),
    words(
      "(?:usuario|usuaria|estudiante|estudiantes|alumno|alumna|alumnos|gente|muchos|" +
        "algunos|usted|tú|él|ella|usuário|" +
        "aluno|alunos|estudantes?|pessoas|muitos|alguns|você|utente|studenti|studente|" +
        "studentessa|molti|alcuni|alunno)" +
        "(?: \\p{L}{1,12})? (?:piensa|piensan|piensas|cree|creen|crees|dice|dicen|afirma|" +
        "afirman|supone|pensa|pensam|" +
        "acha|acham|acredita|acreditam|diz|dizem|afirmam|pensano|crede|credono|dicono|sostiene|ritiene)",
    ),
    words("(?:pengguna|siswa|murid|orang|dia|anda|mereka)(?: \\p{L}{1,12})? (?:berpikir|mengira|percaya|mengatakan)"),
    words("(?:mtumiaji|mwanafunzi|watu|wewe)(?: \\p{L}{1,12})? (?:anafikiri|anadhani|wanadhani|wanafikiri|anasema)"),
    words("(?:يعتقد|يظن|يقول|يرى|يزعم) (?:المستخدم|الطالب|البعض|الكثيرون|الناس)"),
    words("(?:المستخدم|الطالب|البعض) (?:يعتقد|يظن|يقول|يزعم)"),
    `${words("उपयोगकर्ता|छात्र|लोग|आप|আপনি|ব্যবহারকারী|ছাত্র|অনেকে")}[^.।]{0,40}` +
      `(?:सोचत|मानत|कहत|सोचते|मानते|মনে কর|ভাব|বলে)`,
    "(?:用户|用戶|学生|學生|有人|很多人|人们|他们|他|她|你|您)(?:可能|也|都)?(?:认为|認為|觉得|以为|说|猜)",
    "(?:ユーザー|ユーザ|学生|生徒|人々|彼|彼女|あなた)[はがも][^。]{0,40}(?:考えて|思って|言って|主張して)",
    "(?:사용자|학생|사람들|당신)(?:는|은|이|가|들은)[^.。]{0,40}(?:생각하|생각합|믿|말하|말합|주장)",
  ].join("|"),
  "iu",
);

const ACCORDING = new RegExp(
  words("according to (?:the |my |some |most |many )?(?:users?|students?|you|people|others|friends?|teachers?)"),
  "iu",
);

/** What would be so, and the conditions for it that are not the reply's own ("if I had to guess" is). */
const CONDITIONS = [
  [
    "would (?:only |also |then )?(?:be|have been)|could have been",
    "if (?!i\\b|we\\b|asked|forced|pressed)\\p{L}+|unless|provided",
  ],
  ["wäre|wären|hätte|würde", "wenn (?!ich\\b|wir\\b|man\\b)\\p{L}+|falls|sofern"],
  ["serait|seraient|aurait été", "(?:si |s['’])(?!je\\b|on\\b|nous\\b)\\p{L}+"],
  ["sería|habría sido", "si (?!tuviera|tuviese|tengo|yo\\b|me\\b|debo|hay)\\p{L}+"],
  ["sarebbe|sarebbe stata|seria|teria sido", "se (?!dovessi|devo|io\\b|eu\\b|tivesse que|tiver)\\p{L}+"],
  ["akan", "jika|kalau|seandainya"],
  ["ingekuwa|lingekuwa|ingalikuwa|lingalikuwa", "kama|ikiwa|endapo"],
  ["होता|होती|होते", "अगर|यदि"],
  ["হতো|হত", "যদি"],
  ["لكان|لكانت|ستكون|سيكون|تكون", "لو|إذا كان|إذا كانت"],
].map((pair) => pair.map((text) => new RegExp(words(text), "iu")) as [would: RegExp, condition: RegExp]);

/** "Not only A": A is not rejected, and not the only one. */
const NOT_ONLY = new RegExp(
  [
    words("not (?:only|just|merely|solely)|nicht (?:nur|allein|bloß)|non (?:solo|soltanto|solamente|seulement)"),
    words("pas (?:seulement|uniquement)|no (?:s[oó]lo|solamente|[uú]nicamente)|n[aã]o (?:s[oó]|apenas|somente)"),
    words("(?:bukan|tidak) (?:hanya|cuma|saja)|si .{1,20} (?:tu|pekee)|(?:ليس|ليست) (?:.{1,20} )?فقط"),
    words("(?:केवल|सिर्फ) .{1,20} (?:ही )?नहीं|শুধু(?:মাত্র)? .{1,20} (?:নয়|না)|kì í ṣe .{1,20} nìkan"),
    "不仅|不僅|不只|不单|不單|だけで(?:は|も)?な[くい]|のみならず|뿐(?:만)? ?(?:이 )?아니라",
  ].join("|"),
  "iu",
);

const SENTENCE = /[^\n.!?。！？।॥؟;؛]{1,400}/gu;
const BUT = new RegExp(
  `${words("but|however|so|therefore|actually|aber|sondern|mais|donc|pero|ma|mas|tetapi|namun|lakini|لكن|ولكن")}|` +
    `${words("लेकिन|কিন্তু")}|但|其实|しかし|하지만|그러나`,
  "iu",
);
const CLAUSE = new RegExp(
  `[,،、，:()–—]|${words("because|since|while|whereas|weil|denn|während|car|parce que|porque|perché|karena")}`,
  "giu",
);

/** What a letter at a place of a text says: another's opinion, a supposition or a question, or one of several. */
export interface Doubts {
  /** Whether nobody claims what stands there. */
  unclaimed(at: number): boolean;
  /** Whether the sentence there says that more than one option is right. */
  oneOfSeveral(at: number): boolean;
}

type Stretch = readonly [start: number, end: number];

/** Where a text of one reply speaks of options without claiming them. Takes time in proportion to the text. */
export function doubtsIn(text: string): Doubts {
  const unclaimed: Stretch[] = [];
  const several: Stretch[] = [];
  for (const { 0: sentence, index } of text.matchAll(SENTENCE)) {
    const add = (list: Stretch[], from: number, to: number): void => void list.push([index + from, index + to]);
    const notOnly = NOT_ONLY.exec(sentence);
    if (notOnly && isOfLetters(sentence.slice(notOnly.index))) add(several, 0, sentence.length);
    const clauses = clausesOf(sentence);
    const said = OTHERS.exec(sentence);
    if (said) add(unclaimed, said.index, said.index + said[0].length + untilBut(sentence, said));
    for (const [from, to] of askedIn(sentence)) add(unclaimed, from, to);
    const according = ACCORDING.exec(sentence);
    if (according) add(unclaimed, 0, according.index + according[0].length + untilBut(sentence, according));
    for (const [would, condition] of CONDITIONS)
      if (would.test(sentence) && condition.test(sentence))
        for (const [from, to] of clauses) if (would.test(sentence.slice(from, to))) add(unclaimed, from, to);
  }
  const within = (stretches: readonly Stretch[], at: number): boolean =>
    stretches.some(([from, to]) => at >= from && at < to);
  return { unclaimed: (at) => within(unclaimed, at), oneOfSeveral: (at) => within(several, at) };
}

/** "Not only A", and not "not only plausible"; in scripts other than Latin the letter may stand before. */
const isOfLetters = (text: string): boolean =>
  !/^\p{Script=Latin}/u.test(text) || /^.{0,36}(?<!\p{L})[A-J](?!\p{L})/u.test(text);

function untilBut(sentence: string, match: RegExpExecArray): number {
  const rest = sentence.slice(match.index + match[0].length);
  return BUT.exec(rest)?.index ?? rest.length;
}

function clausesOf(sentence: string): Stretch[] {
  const ends = [...sentence.matchAll(CLAUSE)].map(({ index }) => index);
  return [0, ...ends].map((from, at) => [from, ends[at] ?? sentence.length]);
}
