/*
 * A figure is drawn before it is known with whose fonts it is read. So texts are given the room that they take in the
 * widest of the fonts that systems bring: DejaVu Sans, Noto Sans, Liberation Sans (as wide as Arial and Helvetica),
 * Open Sans (wider than Segoe UI) and Roboto.
 */

/**
 * Advance widths of U+0020 to U+007E in thousandths of the font's size: the widest of those fonts, upright and bold.
 */
// biome-ignore format: a table
const REGULAR = [
  318, 401, 460, 838, 637, 951, 780, 275, 391, 391, 552, 838, 318, 361, 318, 413, 637, 637, 637, 637, 637, 637, 637, 637, 637, 637, 337, 337, 838, 838, 838, 557, 1016, 685, 687, 723, 771, 667, 611, 778, 752, 339, 552, 667, 558, 907, 760, 788, 667, 788, 723, 667, 611, 732, 685, 989, 686, 667, 686, 391, 411, 391, 838, 557, 578, 613, 635, 550, 635, 616, 353, 635, 634, 278, 278, 580, 278, 975, 634, 612, 635, 635, 413, 521, 393, 634, 592, 818, 592, 592, 525, 637, 551, 637, 838,
];
// biome-ignore format: a table
const BOLD = [
  349, 457, 521, 838, 696, 1002, 873, 307, 458, 458, 545, 838, 380, 416, 380, 414, 696, 696, 696, 696, 696, 696, 696, 696, 696, 696, 400, 400, 838, 838, 838, 611, 1000, 774, 763, 734, 831, 684, 684, 821, 837, 389, 559, 775, 638, 996, 837, 851, 733, 851, 771, 721, 683, 813, 774, 1104, 771, 725, 726, 458, 423, 458, 838, 557, 607, 675, 716, 593, 716, 679, 436, 716, 712, 343, 343, 666, 343, 1042, 712, 688, 716, 716, 494, 596, 479, 712, 652, 924, 646, 652, 583, 712, 551, 712, 838,
];

/** Scripts whose letters are mostly wider than their font's size. */
const WIDE_LETTER =
  /[\p{Script=Tamil}\p{Script=Telugu}\p{Script=Malayalam}\p{Script=Kannada}\p{Script=Sinhala}\p{Script=Myanmar}]/u;
/** What takes no room of its own: accents above and below, joiners, marks of direction. */
const NO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u;

/**
 * An upper bound of a text's width in the fonts that systems bring, in the unit of `size` (the font's size).
 * Letters of other scripts than the Latin count as wide as nine of ten are in Noto's fonts; kerning and ligatures as
 * nothing.
 */
export function widestWidth(text: string, size = 13, bold = false): number {
  let thousandths = 0;
  for (const letter of text.normalize("NFD")) {
    const place = (letter.codePointAt(0) as number) - 0x20;
    const known = (bold ? BOLD : REGULAR)[place];
    thousandths += known ?? otherWidth(letter) * (bold ? 1.1 : 1);
  }
  return (thousandths * size) / 1000;
}

function otherWidth(letter: string): number {
  if (NO_WIDTH.test(letter)) return 0;
  if (/\p{Script=Hangul}/u.test(letter) && letter >= "\u1160" && letter <= "\u11ff") return 0;
  if (WIDE_LETTER.test(letter)) return 1700;
  if (/\p{Extended_Pictographic}/u.test(letter)) return 1400;
  return letter.length > 1 ? 1200 : 1030;
}

/** The text where it fits into a room, else as much of its beginning as does, with an ellipsis. */
export function shortened(text: string, room: number, size = 13, bold = false): string {
  if (widestWidth(text, size, bold) <= room) return text;
  const letters = [...new Intl.Segmenter("en", { granularity: "grapheme" }).segment(text)].map((one) => one.segment);
  const ellipsis = widestWidth("…", size, bold);
  let width = 0;
  let kept = "";
  for (const letter of letters) {
    width += widestWidth(letter, size, bold);
    if (width + ellipsis > room) break;
    kept += letter;
  }
  return `${kept.trimEnd()}…`;
}

/** The largest size, of at most `size`, at which a text fits into a room. */
export const sizeToFit = (text: string, room: number, size = 13, bold = false): number =>
  Math.min(size, (size * room) / Math.max(1, widestWidth(text, size, bold)));
