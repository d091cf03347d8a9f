import { UserError } from "../base/errors.js";
import { LANGUAGES, type Language, languageTag, mmmlu } from "../tasks/index.js";

/** §4's system prompt, to the letter. */
export const GEMMA3_SYSTEM_PROMPT =
  "You are a multiple-choice question solver. For each question, provide only the single capital letter (A, B, C, or D) corresponding to the correct answer. " +
  "If there are multiple questions, list the letters one per line, or as a single string without spaces or punctuation (e.g., ABCD).";

/** {@link GEMMA3_SYSTEM_PROMPT} in each of MMMLU's languages: our translations, not part of the published protocol. */
export const NATIVE_INSTRUCTIONS: Readonly<Record<Language, string>> = {
  AR_XY:
    "أنت تحلّ أسئلة الاختيار من متعدد. لكل سؤال، أعطِ فقط الحرف اللاتيني الكبير الواحد (A أو B أو C أو D) الذي يقابل الإجابة الصحيحة. " +
    "إذا كانت هناك عدة أسئلة، فاكتب الحروف حرفًا في كل سطر، أو سلسلةً واحدة بلا مسافات ولا علامات ترقيم (مثل ABCD).",
  BN_BD:
    "আপনি বহুনির্বাচনী প্রশ্নের সমাধান করেন। প্রতিটি প্রশ্নের জন্য শুধু সঠিক উত্তরের একটিমাত্র বড় হাতের ইংরেজি অক্ষর (A, B, C অথবা D) দিন। " +
    "একাধিক প্রশ্ন থাকলে প্রতি লাইনে একটি করে অক্ষর লিখুন, অথবা ফাঁকা স্থান ও যতিচিহ্ন ছাড়া একটানা লিখুন (যেমন ABCD)।",
  DE_DE:
    "Du löst Multiple-Choice-Fragen. Gib zu jeder Frage nur den einen Großbuchstaben (A, B, C oder D) an, der zur richtigen Antwort gehört. " +
    "Bei mehreren Fragen schreibe die Buchstaben je einen pro Zeile oder als eine Zeichenfolge ohne Leerzeichen und Satzzeichen (z. B. ABCD).",
  ES_LA:
    "Resuelves preguntas de opción múltiple. Para cada pregunta, da únicamente la letra mayúscula (A, B, C o D) que corresponde a la respuesta correcta. " +
    "Si hay varias preguntas, escribe las letras una por línea, o como una sola cadena sin espacios ni puntuación (por ejemplo, ABCD).",
  FR_FR:
    "Tu résous des questions à choix multiples. Pour chaque question, donne uniquement la lettre majuscule (A, B, C ou D) qui correspond à la bonne réponse. " +
    "S'il y a plusieurs questions, écris les lettres une par ligne, ou en une seule chaîne sans espaces ni ponctuation (par exemple ABCD).",
  HI_IN:
    "आप बहुविकल्पीय प्रश्न हल करते हैं। हर प्रश्न के लिए केवल सही उत्तर का एक बड़ा अंग्रेज़ी अक्षर (A, B, C या D) दें। " +
    "यदि कई प्रश्न हों, तो हर पंक्ति में एक अक्षर लिखें, या बिना रिक्त स्थान और विराम चिह्नों के एक साथ लिखें (जैसे ABCD)।",
  ID_ID:
    "Anda menjawab soal pilihan ganda. Untuk setiap soal, berikan hanya satu huruf kapital (A, B, C, atau D) yang sesuai dengan jawaban yang benar. " +
    "Jika ada beberapa soal, tuliskan hurufnya satu per baris, atau sebagai satu rangkaian tanpa spasi dan tanda baca (misalnya ABCD).",
  IT_IT:
    "Risolvi domande a scelta multipla. Per ogni domanda fornisci soltanto la lettera maiuscola (A, B, C o D) che corrisponde alla risposta corretta. " +
    "Se le domande sono più di una, elenca le lettere una per riga, oppure come un'unica stringa senza spazi né punteggiatura (ad esempio ABCD).",
  JA_JP:
    "あなたは多肢選択問題を解きます。各問題について、正解に対応する大文字のアルファベット1文字（A、B、C、D のいずれか）だけを答えてください。" +
    "問題が複数ある場合は、1行に1文字ずつ書くか、空白も句読点も入れずに続けて書いてください（例：ABCD）。",
  KO_KR:
    "당신은 객관식 문제를 풉니다. 각 문제에 대해 정답에 해당하는 대문자 하나(A, B, C, D 중 하나)만 답하세요. " +
    "문제가 여러 개이면 한 줄에 한 글자씩 쓰거나, 공백과 문장 부호 없이 이어서 쓰세요(예: ABCD).",
  PT_BR:
    "Você resolve questões de múltipla escolha. Para cada questão, forneça apenas a única letra maiúscula (A, B, C ou D) que corresponde à resposta correta. " +
    "Se houver várias questões, liste as letras uma por linha, ou como uma única sequência sem espaços nem pontuação (por exemplo, ABCD).",
  SW_KE:
    "Unajibu maswali ya kuchagua jibu sahihi. Kwa kila swali, toa herufi kubwa moja tu (A, B, C, au D) inayolingana na jibu sahihi. " +
    "Ikiwa kuna maswali mengi, andika herufi moja kwa kila mstari, au zote pamoja bila nafasi wala alama za uandishi (kwa mfano, ABCD).",
  YO_NG:
    "O ń dáhùn àwọn ìbéèrè tí a ti ń yan ìdáhùn. Fún ìbéèrè kọ̀ọ̀kan, kọ lẹ́tà ńlá kan ṣoṣo (A, B, C, tàbí D) tí ó bá ìdáhùn tó tọ́ mu. " +
    "Bí ìbéèrè bá pọ̀, kọ lẹ́tà kọ̀ọ̀kan sí orí ìlà kan, tàbí kọ gbogbo wọn pọ̀ láìsí àyè tàbí àmì ìkọ̀wé (bí àpẹẹrẹ, ABCD).",
  ZH_CN:
    "你负责解答单项选择题。对于每道题，只给出正确答案对应的一个大写字母（A、B、C 或 D）。" +
    "如果有多道题，请每行写一个字母，或写成一个不含空格和标点的字符串（例如 ABCD）。",
};

/** Each language's instruction by what BCP 47 calls the language: other sets code it otherwise. */
const BY_TAG: ReadonlyMap<string, string> = new Map(
  LANGUAGES.map((language) => [languageTag(language), NATIVE_INSTRUCTIONS[language]]),
);

/**
 * The instruction in `english` (the published one) or in a language as its set codes it, for questions with these
 * letters.
 * @throws {UserError} where there is none in that language.
 */
export function instructionIn(language: string, letters: readonly string[] = mmmlu.letters): string {
  const instruction = language === "english" ? GEMMA3_SYSTEM_PROMPT : BY_TAG.get(languageTag(language));
  if (instruction === undefined) {
    throw new UserError(`there is no instruction in ${language}`, {
      hint: `There is one in ${Object.keys(NATIVE_INSTRUCTIONS).join(", ")}; or set answerer.instruction=english.`,
    });
  }
  return withLetters(instruction, letters);
}

/** An instruction that lists A to D, and gives ABCD as an example, for other letters: `A, B or C` and `ABC`. */
export function withLetters(instruction: string, letters: readonly string[]): string {
  return instruction
    .replace(/A([^A-Z]{1,20})B[^A-Z]{1,20}C([^A-Z]{1,20})D/, (_, comma: string, last: string) => {
      // "A, B, or C" has a comma before the last that "A or B" has not.
      const between = letters.length === 2 ? last.replace(/^,/, "") : last;
      return letters.slice(0, -1).join(comma) + between + letters.at(-1)!;
    })
    .replace("ABCD", letters.join(""));
}
