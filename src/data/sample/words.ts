import type { Language } from "../../tasks/index.js";

/** What the sample's questions are made of, in one language. */
export interface SampleWords {
  /** Ways of asking which of the choices names a living being. */
  readonly questions: readonly string[];
  readonly living: readonly string[];
  readonly things: readonly string[];
}

const list = (text: string): string[] => text.split(" ").map((word) => word.replaceAll("_", " "));

/**
 * dog cat horse bird fish tree flower bee cow lion frog snake sheep elephant; table chair stone car house book spoon
 * lamp key shoe clock bridge cup window.
 */
export const SAMPLE_WORDS: Readonly<Record<Language, SampleWords>> = {
  AR_XY: {
    questions: ["أي من هذه كائن حي؟", "أي كلمة تسمي شيئًا يعيش؟", 'اقرأ بعناية.\nما الذي هو "حي"؟'],
    living: list("كلب قطة حصان طائر سمكة شجرة زهرة نحلة بقرة أسد ضفدع أفعى خروف فيل"),
    things: list("طاولة كرسي حجر سيارة بيت كتاب ملعقة مصباح مفتاح حذاء ساعة جسر كوب نافذة"),
  },
  BN_BD: {
    questions: ["এগুলোর মধ্যে কোনটি জীবিত?", "কোন শব্দটি জীবের নাম?", 'মন দিয়ে পড়ুন।\nকোনটি "জীবন্ত"?'],
    living: list("কুকুর বিড়াল ঘোড়া পাখি মাছ গাছ ফুল মৌমাছি গরু সিংহ ব্যাঙ সাপ ভেড়া হাতি"),
    things: list("টেবিল চেয়ার পাথর গাড়ি বাড়ি বই চামচ বাতি চাবি জুতা ঘড়ি সেতু কাপ জানালা"),
  },
  DE_DE: {
    questions: ["Welches davon lebt?", "Welches Wort nennt ein Lebewesen?", 'Lies genau.\nWas ist "lebendig"?'],
    living: list("Hund Katze Pferd Vogel Fisch Baum Blume Biene Kuh Löwe Frosch Schlange Schaf Elefant"),
    things: list("Tisch Stuhl Stein Auto Haus Buch Löffel Lampe Schlüssel Schuh Uhr Brücke Tasse Fenster"),
  },
  ES_LA: {
    questions: ["¿Cuál de estos vive?", "¿Qué palabra nombra un ser vivo?", 'Lee con cuidado.\n¿Qué está "vivo"?'],
    living: list("perro gato caballo pájaro pez árbol flor abeja vaca león rana serpiente oveja elefante"),
    things: list("mesa silla piedra coche casa libro cuchara lámpara llave zapato reloj puente taza ventana"),
  },
  FR_FR: {
    questions: [
      "Lequel de ceux-ci vit ?",
      "Quel mot nomme un être vivant ?",
      'Lisez bien.\nQu\'est-ce qui est "vivant" ?',
    ],
    living: list("chien chat cheval oiseau poisson arbre fleur abeille vache lion grenouille serpent mouton éléphant"),
    things: list("table chaise pierre voiture maison livre cuillère lampe clé chaussure horloge pont tasse fenêtre"),
  },
  HI_IN: {
    questions: ["इनमें से कौन जीवित है?", "कौन सा शब्द जीव का नाम है?", 'ध्यान से पढ़ें।\nक्या "जीवित" है?'],
    living: list("कुत्ता बिल्ली घोड़ा चिड़िया मछली पेड़ फूल मधुमक्खी गाय शेर मेंढक साँप भेड़ हाथी"),
    things: list("मेज़ कुर्सी पत्थर गाड़ी घर किताब चम्मच दीपक चाबी जूता घड़ी पुल प्याला खिड़की"),
  },
  ID_ID: {
    questions: ["Manakah yang hidup?", "Kata mana yang menyebut makhluk hidup?", 'Baca baik-baik.\nApa yang "hidup"?'],
    living: list("anjing kucing kuda burung ikan pohon bunga lebah sapi singa katak ular domba gajah"),
    things: list("meja kursi batu mobil rumah buku sendok lampu kunci sepatu jam jembatan cangkir jendela"),
  },
  IT_IT: {
    questions: ["Quale di questi vive?", "Quale parola indica un essere vivente?", 'Leggi bene.\nChe cosa è "vivo"?'],
    living: list("cane gatto cavallo uccello pesce albero fiore ape mucca leone rana serpente pecora elefante"),
    things: list(
      "tavolo sedia pietra automobile casa libro cucchiaio lampada chiave scarpa orologio ponte tazza finestra",
    ),
  },
  JA_JP: {
    questions: [
      "このうち生きているものはどれですか?",
      "生き物の名前はどれですか?",
      'よく読んでください。\n"生きている"ものは何ですか?',
    ],
    living: list("犬 猫 馬 鳥 魚 木 花 蜂 牛 獅子 蛙 蛇 羊 象"),
    things: list("机 椅子 石 車 家 本 匙 灯 鍵 靴 時計 橋 茶碗 窓"),
  },
  KO_KR: {
    questions: [
      "이 중 살아 있는 것은 무엇입니까?",
      "생물의 이름은 어느 것입니까?",
      '잘 읽으세요.\n무엇이 "살아" 있습니까?',
    ],
    living: list("개 고양이 말 새 물고기 나무 꽃 벌 소 사자 개구리 뱀 양 코끼리"),
    things: list("책상 의자 돌 자동차 집 책 숟가락 등불 열쇠 신발 시계 다리 컵 창문"),
  },
  PT_BR: {
    questions: ["Qual destes vive?", "Que palavra nomeia um ser vivo?", 'Leia com cuidado.\nO que está "vivo"?'],
    living: list("cachorro gato cavalo pássaro peixe árvore flor abelha vaca leão sapo cobra ovelha elefante"),
    things: list("mesa cadeira pedra carro casa livro colher lâmpada chave sapato relógio ponte xícara janela"),
  },
  SW_KE: {
    questions: [
      "Ni kipi kati ya hivi kinaishi?",
      "Neno gani linataja kiumbe hai?",
      'Soma vizuri.\nNi nini kilicho "hai"?',
    ],
    living: list("mbwa paka farasi ndege samaki mti ua nyuki ng'ombe simba chura nyoka kondoo tembo"),
    things: list("meza kiti jiwe gari nyumba kitabu kijiko taa ufunguo kiatu saa daraja kikombe dirisha"),
  },
  YO_NG: {
    questions: ["Èwo nínú ìwọ̀nyí ló wà láàyè?", "Ọ̀rọ̀ wo ló dárúkọ ohun alààyè?", 'Kà á dáadáa.\nKí ló "wà láàyè"?'],
    living: list("ajá ológbò ẹṣin ẹyẹ ẹja igi òdòdó oyin màlúù kìnnìún ọ̀pọ̀lọ́ ejò àgùntàn erin"),
    things: list("tábìlì àga òkúta ọkọ̀ ilé ìwé ṣíbí àtùpà kọ́kọ́rọ́ bàtà aago afárá ife fèrèsé"),
  },
  ZH_CN: {
    questions: ["下列哪一个是活的?", "哪个词是生物的名称?", '请仔细阅读。\n什么是"活的"?'],
    living: list("狗 猫 马 鸟 鱼 树 花 蜜蜂 牛 狮子 青蛙 蛇 羊 大象"),
    things: list("桌子 椅子 石头 汽车 房子 书 勺子 灯 钥匙 鞋子 钟表 桥 杯子 窗户"),
  },
};
