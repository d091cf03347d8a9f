import { letterAmong, type Reading } from "./reading.js";

/** For protocols that measure letters: what they chose is kept as the reply. */
export const letter: Reading = {
  description: "the letter that the whole reply is, as protocols that measure letters keep it",
  read: (reply, _questions, labels) => [letterAmong(labels, reply)],
  settled: () => false,
  several: false,
};
