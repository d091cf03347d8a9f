/** What a word or phrase does in a sentence about options. */
export type Role =
  | "answer" // names the answer: what follows is claimed
  | "option" // names an option without saying which is right
  | "choose"
  | "right"
  | "wrong"
  | "not"
  | "exclude"
  | "final" // "final answer": outranks what was said before
  | "correction" // "wait", "actually": what comes after replaces what came before
  | "but" // after a rejection: what is right instead
  | "so"
  | "and"
  | "or"
  | "nor"
  | "if" // what follows is supposed, not claimed
  | "link"; // may stand between "answer" and a letter

export type Words = Readonly<Partial<Record<Role, string>>>;

/** Words of English and MMMLU's languages, phrases parted by commas. Case and accents of Latin letters do not count. */
export const WORDS: Readonly<Record<string, Words>> = {
  EN: {
    answer: "answer, answers, solution, ans",
    option: "option, options, choice, choices, letter, alternative, alternatives, statement",
    choose: `
      choose, chose, chosen, choosing, pick, picked, select, selected, selecting, go with, going with, opt for,
      correct one is, right one is`,
    right: "correct, right",
    wrong: `
      wrong, incorrect, false, less likely, least likely, untrue, mistaken, inaccurate, invalid, unlikely,
      implausible, eliminated, rejected, excluded, ruled out, incorrectly, is out, are out, is already out,
      are already out, off the table, disqualified, discarded, dismissed, crossed out,
      almost correct, almost right, nearly correct, nearly right, partially correct, partially right,
      partly correct, partly right, hardly correct, hardly right, least correct, least accurate`,
    not: `
      not, cannot, never, isnt, anything but, neither, none, without, except, no longer, rather than,
      instead of, i doubt, i doubt that, nobody should, no one should, every option but,
      all options but, all but,
      everything but`,
    exclude: `
      eliminate, eliminating, exclude, excluding, rule out, ruling out, reject, rejecting, discard, discarding,
      dismiss, cross out, avoid`,
    final: "final, finally, in conclusion, to conclude",
    correction: `
      wait, actually, correction, sorry, on second thought, my mistake, i was wrong, let me correct, oops,
      no wait, hmm no, rather, i meant, hold on, scratch that, let me reconsider, let me rethink, my bad, apologies`,
    but: "but, rather, instead, however",
    so: "so, therefore, thus, hence, consequently, this leaves, leaves, leaving",
    and: "and, as well as, plus",
    or: "or, versus, vs",
    nor: "nor",
    if: "if, suppose, supposing, assume, assuming",
    link: `
      is, are, was, be, would be, should be, must be, will be, would, should, must, will, to be, being, the,
      this, that, which, one, my, our, your, its, it, it's, that's, i, we, i'd, i'll, we'll, he, would say,
      say, think, believe, guess, i'm, am, clearly, definitely, indeed, best, most, likely, probably, possibly,
      might be, may be, could be, now, number, of, to, for, question, question's, above, following, given, here, as,
      follows, only, just, then, therefore, because, since, letter, both, all, also, most likely, appropriate,
      suitable, accurate, plausible, represented by, has, have, in, by, with, seems, appears,
      in fact, in reality, really`,
  },
  DE: {
    answer: "antwort, antworten, lösung, lösungen, antwortet, richtigantwort",
    option: `
      option, optionen, antwortoption, antwortmöglichkeit, antwortmöglichkeiten, auswahl, buchstabe,
      möglichkeit, aussage, variante, alternative`,
    choose: "wähle, wählen, wählt, nehme, entscheide mich für, entscheide, gewählt, tippe auf",
    right: `
      richtig, richtige, richtigen, richtiger, korrekt, korrekte, korrekten, korrekter, zutreffend,
      zutreffende, stimmt`,
    wrong: `
      falsch, falsche, falschen, falscher, falsches, inkorrekt, inkorrekte, unrichtig, unzutreffend,
      ausgeschlossen, scheidet aus, scheiden aus, entfällt, entfallen, fehlerhaft, unpassend, fällt weg,
      fallen weg, fliegt raus, fliegen raus, ist raus, sind raus, verworfen, gestrichen,
      fast richtig, beinahe richtig, teilweise richtig, teilweise korrekt, kaum richtig, halb richtig`,
    not: `
      nicht, kein, keine, keiner, keinesfalls, weder, außer, ohne, niemals, statt, anstatt,
      ich bezweifle`,
    exclude: "schließe, schließen, ausschließen, ausschließe, verwerfe, verwerfen, streiche, streichen",
    final: "endgültige, endgültig, finale, abschließende, abschließend",
    correction: `
      moment, korrektur, eigentlich, entschuldigung, warte, warten sie, halt, nein, doch nicht, vielmehr,
      ich korrigiere, verzeihung, ich meine, ich meinte`,
    but: "sondern, aber, stattdessen, vielmehr, doch, jedoch",
    so: "also, daher, somit, folglich, deshalb, bleibt, bleibt nur",
    and: "und, sowie",
    or: "oder, bzw",
    nor: "noch",
    if: "wenn, falls, angenommen, nehmen wir an",
    link: `
      lautet, ist, sind, wäre, war, sein, die, der, das, den, dem, ein, eine, ich, wir, es, für, auf, zu,
      diese, dieser, frage, meine, hier, wohl, wahrscheinlich, vermutlich, nur, damit, dann, weil, denn, da,
      beste, besten, am, daher, somit, also, buchstabe, beide, alle, auch, von, muss, sollte, würde, eindeutig,
      gegebene, gesuchte, heißt, mit`,
  },
  FR: {
    answer: "réponse, réponses, solution, bonne réponse",
    option: "option, options, choix, lettre, proposition, propositions, alternative, affirmation, affirmations",
    choose: "je dirais, choisis, choisir, choisit, choisirais, sélectionne, retiens, opte pour, je prends",
    right: `
      correct, correcte, correctes, corrects, juste, bonne, bon, exact, exacte, vraie, la plus adaptée,
      la mieux adaptée, la plus appropriée, la plus pertinente, la plus plausible`,
    wrong: `
      faux, fausse, fausses, incorrect, incorrecte, incorrectes, incorrects, erroné, erronée, erronées, erronés,
      inexact, inexacte, inexactes, mauvaise, mauvaises, éliminé, éliminée, éliminées, exclue, exclues, à exclure,
      à éliminer, exclu, est hors jeu, sont hors jeu, écarté, écartée, écartés, écartées, rejeté, rejetée,
      presque correcte, presque correct, partiellement correcte, partiellement correct, presque juste`,
    not: "pas, aucun, aucune, ni, sauf, jamais, sans, plutôt que, au lieu de, non, je doute que, je doute",
    exclude: "exclure, exclus, élimine, éliminer, éliminons, écarter, écarte, rejette, rejeter, exclut",
    final: "finale, final, définitive, en conclusion",
    correction: `
      attends, attendez, en fait, correction, pardon, désolé, désolée, je me trompe, je me suis trompé, je corrige,
      je rectifie, plutôt, erratum`,
    but: "mais, plutôt",
    so: "donc, ainsi, alors, par conséquent, reste, il reste",
    and: "et, ainsi que",
    or: "ou, ou bien",
    nor: "ni",
    if: "si la réponse, si la bonne réponse, supposons que, supposons",
    link: `
      est, sont, serait, était, être, la, le, les, l, de, du, des, à, cette, question, ma, mon, c'est, c, je,
      il, elle, donc, que, pense, ici, probablement, seule, seul, pour, doit, lettre, meilleure, meilleur,
      la plus, plus, les deux, toutes, aussi, car, parce, puisque, devrait, comme, suivante, sans doute, qui,
      n, n'est, ne`,
  },
  ES: {
    answer: "respuesta, respuestas, solución, contestación, rpta",
    option: "opción, opciones, alternativa, alternativas, letra, inciso, literal, afirmación, elección",
    choose: `
      elijo, elegir, elige, elegiría, escojo, escoger, selecciono, seleccionar, selecciona, opto por, marco,
      me quedo con`,
    right: "correcta, correcto, correctas, correctos, acertada, acertado, verdadera",
    wrong: `
      incorrecta, incorrecto, incorrectas, incorrectos, falsa, falso, falsas, falsos, errónea, erróneo, erróneas,
      erróneos, equivocada, equivocadas, equivocado, descartada, descartadas, mal, descartado, descartados,
      queda descartada, queda descartado, quedan descartadas, quedan descartados,
      queda fuera, quedan fuera, está fuera, están fuera, eliminada, eliminado, excluida, excluido,
      casi correcta, casi correcto, parcialmente correcta, parcialmente correcto`,
    not: `
      no, ni, ninguna, ningún, excepto, salvo, nunca, jamás, sin, tampoco, en lugar de, dudo que,
      todas menos, todos menos`,
    exclude: "descarto, descartar, descartamos, elimino, eliminar, eliminamos, excluir, excluyo, rechazo, rechazar",
    final: "final, definitiva, en conclusión",
    correction: "espera, en realidad, corrección, perdón, lo siento, me equivoqué, rectifico, mejor dicho, corrijo",
    but: "sino, pero, más bien",
    so: "así que, por lo tanto, por tanto, entonces, luego, queda, solo queda",
    and: "y, e, así como",
    or: "o, u, o bien",
    nor: "ni",
    if: "si la respuesta, supongamos que, supongamos",
    link: `
      es, son, sería, era, ser, la, el, los, las, lo, de, del, a, al, esta, pregunta, mi, que, creo, pienso,
      aquí, probablemente, sólo, única, debe, debería, mejor, más, ambas, todas, también, porque, pues, ya,
      como, siguiente, está, seguramente, por, para`,
  },
  IT: {
    answer: "risposta, risposte, soluzione",
    option: "opzione, opzioni, alternativa, alternative, lettera, scelta, affermazione, affermazioni",
    choose: "scelgo, scegliere, sceglie, sceglierei, seleziono, selezionare, opto per",
    right: "corretta, corretto, corrette, corretti, giusta, giusto, esatta, esatto, vera",
    wrong: `
      sbagliata, sbagliato, sbagliate, sbagliati, errata, errato, errate, errati, falsa, falso, false, falsi,
      scorretta, scorrette, scorretto, inesatta, esclusa, escluse, incorretta, è fuori, sono fuori, escluso,
      esclusi, scartata, scartato, eliminata, eliminato,
      quasi corretta, quasi corretto, parzialmente corretta, parzialmente corretto`,
    not: `
      non, né, nessuna, nessuno, tranne, eccetto, mai, senza, neanche, neppure, invece di, anziché,
      dubito che`,
    exclude: "escludo, escludere, escludiamo, elimino, eliminare, scarto, scartare, escludendo",
    final: "finale, definitiva, in conclusione",
    correction: "aspetta, in realtà, correzione, scusa, mi correggo, anzi, mi sono sbagliato, ho sbagliato",
    but: "ma, bensì, però, piuttosto",
    so: "quindi, perciò, dunque, pertanto, rimane, resta",
    and: "e, ed, nonché",
    or: "o, oppure",
    nor: "né",
    if: "se la risposta, supponiamo che, supponiamo",
    link: `
      è, sono, sarebbe, era, essere, la, il, lo, le, gli, l, i, di, del, della, dell, a, alla, all, questa,
      domanda, mia, che, credo, penso, qui, probabilmente, solo, unica, deve, dovrebbe, migliore, più,
      entrambe, tutte, anche, perché, poiché, come, seguente, per, data`,
  },
  PT: {
    answer: "resposta, respostas, solução, gabarito",
    option: "opção, opções, alternativa, alternativas, letra, item, afirmação, afirmativa, escolha",
    choose: `
      escolho, escolher, escolhe, escolheria, seleciono, selecionar, marco, marque, opto por, assinalo,
      fico com`,
    right: "correta, correto, corretas, corretos, certa, certo, certas, verdadeira",
    wrong: `
      incorreta, incorreto, incorretas, incorretos, errada, errado, erradas, errados, falsa, falso, falsas,
      falsos, equivocada, equivocadas, descartada, descartadas, descartado, descartados, está fora, estão fora,
      fica fora, eliminada, eliminado, excluída, excluído,
      quase correta, quase certa, parcialmente correta, parcialmente certa`,
    not: `
      não, nem, nenhuma, nenhum, exceto, salvo, nunca, jamais, sem, tampouco, em vez de, duvido que,
      todas menos`,
    exclude: "descarto, descartar, descartamos, elimino, eliminar, eliminamos, excluir, excluo, rejeito, rejeitar",
    final: "final, definitiva, em conclusão",
    correction: "espere, espera, na verdade, correção, desculpe, me enganei, corrigindo, aliás, ou melhor, retifico",
    but: "mas, e sim, mas sim, porém",
    so: "portanto, assim, logo, então, sobra, resta, resta apenas",
    and: "e, bem como",
    or: "ou",
    nor: "nem",
    if: "se a resposta, suponha que, suponhamos que, vamos supor que",
    link: `
      é, são, seria, era, ser, a, o, as, os, de, da, do, das, na, à, para, esta, essa, pergunta, questão,
      minha, que, acho, acredito, aqui, provavelmente, só, apenas, única, deve, deveria, melhor, mais, ambas,
      todas, também, porque, pois, já, como, seguinte, está, por`,
  },
  ID: {
    answer: "jawaban, jawabannya, jawab, jawabanku, kunci jawaban, solusi",
    option: "pilihan, opsi, huruf, alternatif, pernyataan, option",
    choose: "pilih, memilih, dipilih, pilihannya",
    right: "benar, tepat, betul",
    wrong: `
      salah, keliru, tidak benar, tidak tepat, kurang tepat, dieliminasi, gugur, tersingkir,
      hampir benar, sebagian benar, hanya sebagian benar`,
    not: "bukan, bukanlah, tidak, tak, jangan, kecuali, selain, tanpa, daripada, belum, saya ragu, ragu",
    exclude: `
      eliminasi, mengeliminasi, singkirkan, menyingkirkan, coret, kesampingkan, abaikan, mengecualikan,
      kecualikan`,
    final: "akhir, akhirnya, kesimpulannya, terakhir",
    correction: "tunggu, sebenarnya, koreksi, maaf, ralat, saya keliru, saya salah",
    but: "melainkan, tetapi, tapi, namun",
    so: "jadi, maka, sehingga, dengan demikian, oleh karena itu, tersisa, sisanya",
    and: "dan, serta",
    or: "atau",
    nor: "maupun",
    if: "jika, kalau, andaikan, misalkan, seandainya",
    link: `
      adalah, ialah, yaitu, yakni, yang, salah satu, paling, untuk, pertanyaan, ini, itu, saya, kami, dari,
      pada, seharusnya, harus, mungkin, hanya, karena, sebab, kedua, semua, juga, terbaik, di atas, soal,
      menurut, merupakan, terletak, ada, di`,
  },
  SW: {
    answer: "jibu, majibu, jawabu, suluhisho, jibu langu",
    option: "chaguo, machaguo, herufi, chaguzi, kauli, uchaguzi",
    choose: "nachagua, chagua, ninachagua, nimechagua, kuchagua, tunachagua",
    right: "sahihi, sawa, kweli",
    wrong: `
      makosa, kosa, si sahihi, sio sahihi, siyo sahihi, si sawa, si kweli, vibaya, potofu, uongo, batili,
      yasiyo sahihi, lisilo sahihi, zisizo sahihi, isiyo sahihi, hazifai, halifai, si za kweli,
      karibu sahihi`,
    not: `
      si, sio, siyo, hapana, wala, isipokuwa, bila, haiwezi, haliwezi, hayawezi, badala ya, sivyo,
      sidhani, sifikiri, siamini`,
    exclude: "ondoa, tunaondoa, kuondoa, naondoa, kataa, tenga",
    final: "mwisho, la mwisho, hatimaye, kwa kumalizia",
    correction: "subiri, samahani, kwa kweli, sahihisho, nimekosea, ngoja, marekebisho",
    but: "bali, lakini",
    so: "hivyo, kwa hiyo, basi, kwa hivyo, linabaki, inabaki",
    and: "na, pamoja na",
    or: "au, ama",
    nor: "wala",
    if: "ikiwa, endapo, tuseme",
    link: `
      ni, ndiyo, ndio, ndilo, la, ya, wa, kwa, swali, hili, hii, langu, yangu, lililo, lenye, kwamba, nadhani,
      inaonekana, tu, pekee, zote, zote mbili, pia, kwa sababu, bora, zaidi, katika, huenda, lazima, iwe, liwe,
      ndo, lipo, iko`,
  },
  YO: {
    answer: "ìdáhùn, idahun, èsì, esi, ojútùú, ojutuu",
    option: "àṣàyàn, asayan, lẹ́tà, leta, yíyàn, yiyan, àṣàyan, aṣayan",
    choose: "mo yan, yàn, yan, mo mú, a yan",
    right: `
      tó tọ́, ló tọ́, ni ó tọ́, ni ó pé, ló péye, tọ́, tọ̀nà, to to, tó dára jù, tó yẹ, òótọ́, tootọ, tótọ́,
      péye, tó péye`,
    wrong: "àṣìṣe, asise, kò tọ́, kò tọ̀nà, kò péye, kò yẹ, aṣiṣe, tí kò tọ́, irọ́, kì í ṣe òótọ́, kò dára",
    not: `
      kì í ṣe, kìí ṣe, kii ṣe, kì, kò, ko, kọ́, kì í ṣe pé, àyàfi, bẹ́ẹ̀ kọ́, rárá, mi ò rò pé,
      mi ò gbà pé, n kò rò pé`,
    exclude: "yọ, yọ kúrò, mú kúrò, kọ̀, yọkúrò",
    final: "ìkẹyìn, ikẹhin, ìparí, níkẹyìn",
    correction: "dúró, ẹ má bínú, àtúnṣe, ní òótọ́, mo ṣe àṣìṣe, má bínú, duro",
    but: "ṣùgbọ́n, bí kò ṣe, bíkòṣe, dípò bẹ́ẹ̀",
    so: "nítorí náà, torí náà, nitorina, nítorínáà, ó kù",
    and: "àti, ati, pẹ̀lú",
    or: "tàbí, tabi",
    nor: "tàbí",
    if: "ká ní, ká sọ pé",
    link: `
      ni, ni ó, jẹ́, jẹ, ó, náà, ìbéèrè, yìí, mi, tí, fún, gbọ́dọ̀, nìkan, méjèèjì, gbogbo, tún, nítorí,
      nitori, jùlọ, wà, rò pé, mo rò pé, lè, àwọn, pé, lórí`,
  },
  HI: {
    answer: "उत्तर, जवाब, हल, समाधान, उतर",
    option: "विकल्प, विकल्पों, अक्षर, कथन, विकल्पो",
    choose: "चुनता, चुनती, चुनें, चुनूंगा, चुनूँगा, चुनूंगी, चुना, चुनते, चयन, चुनना",
    right: "सही, ठीक, उचित, शुद्ध, सत्य, सटीक",
    wrong: "गलत, ग़लत, असत्य, अनुचित, अशुद्ध, त्रुटिपूर्ण, खारिज, अमान्य, असंभव, लगभग सही, आंशिक रूप से सही",
    not: "नहीं, नही, न, ना, बिना, सिवाय, अलावा, छोड़कर, बजाय",
    exclude: "हटाएं, हटा, निकाल, बाहर, हटाते, अस्वीकार",
    final: "अंतिम, अन्तिम, आखिरी, निष्कर्ष",
    correction: "रुकिए, रुको, असल में, वास्तव में, सुधार, माफ, माफ़, क्षमा, दरअसल",
    but: "बल्कि, लेकिन, किंतु, परंतु, मगर",
    so: "इसलिए, अतः, तो, अत, बचता",
    and: "और, व, एवं, तथा",
    or: "या, अथवा",
    nor: "न ही",
    if: "यदि, अगर, मान लीजिए, मान लें",
    link: `
      है, हैं, होगा, होगी, था, का, की, के, को, में, से, यह, वह, इस, प्रश्न, मेरा, मैं, हम, केवल, सिर्फ, दोनों,
      सभी, भी, क्योंकि, सबसे, शायद, ही, होना, चाहिए, संभवतः, अनुसार, ने, हूँ, हूं, स्पष्ट, नंबर, मेरे`,
  },
  BN: {
    answer: "উত্তর, উত্তরটি, জবাব, সমাধান, উত্তরঃ, উত্তরটা",
    option: "বিকল্প, বিকল্পটি, অপশন, বিকল্পগুলি, বিকল্পগুলো, অক্ষর, পছন্দ, বিবৃতি",
    choose: "বেছে, নির্বাচন, বাছাই, বেছে নিচ্ছি, বেছে নিই, বেছে নেব",
    right: "সঠিক, ঠিক, শুদ্ধ, সত্য, যথার্থ",
    wrong: "ভুল, অসত্য, বেঠিক, অশুদ্ধ, মিথ্যা, বাতিল, অসঠিক, প্রায় সঠিক, আংশিক সঠিক, আংশিকভাবে সঠিক",
    not: "নয়, না, নেই, নয, ছাড়া, বাদে, নহে, ব্যতীত, পরিবর্তে, নন",
    exclude: "বাদ, বাতিল, সরিয়ে, বর্জন",
    final: "চূড়ান্ত, শেষ, উপসংহার",
    correction: "দাঁড়ান, আসলে, সংশোধন, দুঃখিত, প্রকৃতপক্ষে, অপেক্ষা",
    but: "বরং, কিন্তু, তবে",
    so: "তাই, সুতরাং, অতএব, কাজেই",
    and: "এবং, ও, আর",
    or: "বা, অথবা, কিংবা",
    nor: "কিংবা",
    if: "যদি, ধরুন, ধরা যাক",
    link: `
      হল, হলো, হচ্ছে, হবে, হয়, এই, প্রশ্নের, আমার, আমি, আমরা, এটি, যে, শুধু, উভয়, উভয়ই, দুটোই, সব, কারণ,
      সবচেয়ে, সম্ভবত, টি, করছি, করি, নিচ্ছি, জন্য, ই, মনে, অনুযায়ী, নম্বর`,
  },
  AR: {
    answer: "الإجابة, الاجابة, الجواب, إجابة, جواب, إجابتي, الحل, جوابي, فالإجابة, للإجابة",
    option: `
      الخيار, خيار, الخيارات, الخياران, الخيارين, الحرف, حرف, الاختيار, اختيار, البديل, العبارة, العبارات,
      العبارتان`,
    choose: "أختار, اختار, اخترت, نختار, أختر, يختار, سأختار, اختر",
    right: "الصحيحة, الصحيح, صحيحة, صحيح, صواب, الصواب, صائبة, السليمة, الأصح, الأنسب",
    wrong: `
      خطأ, خاطئ, خاطئة, خاطئان, خاطئتان, خاطئين, خاطئون, الخاطئة, الخاطئ, غلط, باطل, باطلة, مرفوض, مستبعد,
      مستبعدة, مستبعدان, خطا,
      صحيحة جزئيا, صحيح جزئيا`,
    not: `
      ليس, ليست, ليسا, ليستا, لا, لم, لن, غير, ما عدا, باستثناء, سوى, دون, بدون, عدا, بدلا من,
      بدلاً من, أشك`,
    exclude: "نستبعد, أستبعد, استبعاد, استبعد, نحذف, استبعدنا, حذف",
    final: "النهائية, النهائي, نهائي, ختاما, الأخيرة",
    correction: "انتظر, في الواقع, تصحيح, عذرا, عذراً, آسف, في الحقيقة, مهلا, أصحح, لحظة",
    but: "بل, لكن, ولكن, وإنما, إنما",
    so: "إذن, إذا, لذلك, لذا, بالتالي, يبقى, وبالتالي",
    and: "و, وكذلك",
    or: "أو, او, أم",
    nor: "ولا",
    if: "لو, إذا كانت, إذا كان, لنفترض أن, بافتراض أن",
    link: `
      هي, هو, هما, هذا, هذه, السؤال, على, عن, من, في, ان, أن, إن, كل, كلا, فقط, لأن, يكون, تكون, يجب, الأفضل,
      الأكثر, ربما, أيضا, كان, كانت, لهذا, رقم, بأن, أعتقد, أظن, كلاهما, دقة`,
  },
  ZH: {
    answer: "答案, 回答, 解答, 答",
    option: "选项, 選項, 选择项, 选择题, 字母, 项, 項, 陈述, 说法",
    choose: "选择, 選擇, 选, 選, 应选, 故选, 应该选, 应该选择, 应当选, 应当选择, 应选择, 挑选, 所以选, 因此选",
    right: "正确, 正確, 对的, 准确, 最合适, 最佳, 符合题意, 成立",
    wrong: `
      错误, 錯誤, 错, 不正确, 不正確, 不对, 不準確, 不准确, 有误, 不符合, 不成立, 不合适, 不可能, 误, 不符, 排除, 不恰当, 不符合题意, 是错的, 部分正确,
      几乎正确`,
    not: "不是, 不选, 不能选, 不应选, 不应该选, 不能, 并非, 非, 不, 没有, 除了, 而不是, 不应, 不会是, 并不是, 均不, 都不",
    exclude: "排除, 去掉, 剔除, 舍去, 排除了",
    final: "最终, 最終, 最后, 综上, 综上所述",
    correction: "等等, 等一下, 更正, 抱歉, 其实, 实际上, 纠正, 修正, 不好意思, 对不起, 更改",
    but: "而是, 但, 但是",
    so: "所以, 因此, 故, 于是, 则, 只剩, 剩下",
    and: "和, 与, 及, 以及, 跟, 還有, 还有",
    or: "或, 或者, 还是",
    nor: "也不是",
    if: "如果, 假设, 假如, 倘若, 要是",
    link: `
      为, 為, 是, 应为, 应该是, 应是, 應為, 應該是, 应该, 应, 的, 就是, 即, 乃, 本题, 此题, 该题, 题, 我, 认为, 我认为, 这个, 问题, 最, 可能, 只有, 都, 均, 皆,
      也, 因为, 由于, 显然, 只, 唯一, 了, 地, 在, 于, 对, 较, 更, 一定, 肯定, 会, 这道题, 道`,
  },
  JA: {
    answer: "答え, 答, 回答, 解答, 正解, 正答, 解, こたえ",
    option: "選択肢, 選択枝, 記号, 肢, オプション, 文字, 記述",
    choose: "選び, 選ぶ, 選択, 選びます, 選択します, 選んだ, 選んで",
    right: "正しい, 正しく, 正確, 適切, 妥当, 正し, 最も適切",
    wrong: `
      間違い, 間違っ, 間違, 誤り, 誤っ, 誤, 不正解, 正しくない, 正しくありません, 正しくあり, 不適切, 違います, 違う, 適切ではない, 不正確, 該当しない, 当てはまらない,
      当てはまりません, 除外,
      部分的に正しい, ほぼ正しい`,
    not: "ではない, ではありません, じゃない, でない, ではなく, でなく, じゃなく, ではなくて, ではなかった, ない, ません, 以外, ではあり",
    exclude: "除外, 除外し, 除き, 消去",
    final: "最終, 最終的, 結論, 最後",
    correction: "訂正, 待って, すみません, 失礼, やはり, いや, 実は, 修正, 間違えました, 申し訳",
    but: "むしろ, しかし, ではなく, でなく, じゃなく, ではなくて",
    so: "したがって, よって, だから, ゆえに, つまり, 従って, 残るのは, そのため",
    and: "と, および, 及び, ならびに",
    or: "または, 又は, か, もしくは, あるいは",
    nor: "も",
    if: "もし, 仮に",
    link: `
      は, が, の, を, に, です, だ, である, であり, でしょう, となります, になります, となる, なの, この, 問題, 問い, こと, もの, と考えられ, と思い, と思います, 思い,
      考え, 私, 最も, 以下, 次, 通り, 番, だけ, のみ, どちらも, すべて, なぜなら, ます, で, 最, わかり, 判断, る, い, ー, り, れ, し, す, て`,
  },
  KO: {
    answer: "정답, 답, 답변, 해답, 답안, 해설답",
    option: "선택지, 보기, 선지, 항목, 선택사항, 옵션, 글자, 번",
    choose: "선택, 고르, 고릅, 골랐, 택하, 선택합니다, 선택하겠습니다, 고르겠습니다",
    right:
      "맞습니다, 맞는, 맞다, 옳은, 옳습니다, 올바른, 옳다, 정확, 정확한, 적절, 적절한, 적합한, 알맞은, 타당한, 맞아, 맞",
    wrong: "틀렸, 틀린, 틀리, 틀립, 오답, 잘못, 부정확, 부적절, 부적합, 거짓, 틀림, 부분적으로 맞, 거의 맞",
    not: "아닙, 아니라, 아니고, 아니, 아닌, 아님, 않, 못, 없, 제외하고, 외에",
    exclude: "제외, 배제, 소거",
    final: "최종, 최종적, 결론",
    correction: "잠깐, 잠시만, 사실, 정정, 죄송, 아니요, 다시, 수정",
    but: "아니라, 아니고, 오히려, 하지만, 그러나",
    so: "따라서, 그러므로, 그래서, 즉, 남는",
    and: "와, 과, 및, 그리고, 하고, 랑",
    or: "또는, 혹은, 이나, 나, 거나",
    nor: "도",
    if: "만약, 만일, 가령",
    link: `
      은, 는, 이, 가, 을, 를, 의, 에, 로, 으로, 입니다, 이다, 다, 이고, 인, 임, 예요, 이에요, 이며, 습니다, 됩니다, 된다, 것, 저, 제, 이, 문제, 질문, 가장,
      생각, 합니다, 하면, 모두, 둘, 다음, 때문, 만, 라고, 그, 해당, 아마, 들, 고, 하, 니다, 겠, 었, 요, 지`,
  },
};

/** Words that begin another question or another's turn, before ":" or a number. */
export const QUESTION_WORDS = `
  question, next question, new question, another question, q, problem, exercise, frage, nächste frage, aufgabe,
  question suivante, prochaine question, pregunta, siguiente pregunta, próxima pregunta, domanda,
  prossima domanda, quesito, pergunta, questão, próxima pergunta, soal, pertanyaan, pertanyaan berikutnya,
  soal berikutnya, swali, swali lingine, swali linalofuata, ìbéèrè, ibeere, ìbéèrè tó kàn, ìbéèrè mìíràn,
  प्रश्न, सवाल, अगला प्रश्न, अगला सवाल, প্রশ্ন, পরবর্তী প্রশ্ন, السؤال, سؤال, السؤال التالي, سؤال جديد, 问题, 問題,
  题目, 題目, 下一题, 下一个问题, 下一道题, 题, 问, 問, 次の問題, 次の質問, 質問, 設問, 問い, 질문, 문제, 다음 질문, 다음 문제, 문항`;
export const SPEAKERS = `
  user, human, assistant, system, instruction, input, student, teacher, benutzer, nutzer, assistent, mensch,
  utilisateur, humain, usuario, humano, asistente, utente, umano, assistente, usuário, pengguna, manusia,
  asisten, mtumiaji, msaidizi, binadamu, olùmúlò, olumulo, olùrànlọ́wọ́, ènìyàn, उपयोगकर्ता, सहायक, मानव,
  ব্যবহারকারী, সহকারী, মানুষ, المستخدم, المساعد, الإنسان, مستخدم, 用户, 用戶, 人类, 助手, 系统, ユーザー, ユーザ, アシスタント, 人間,
  사용자, 어시스턴트, 인간, 유저`;
