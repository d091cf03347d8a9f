/** Functions of neural networks, composed of operations. */

export { geluErf, geluTanh, silu, softcap } from "./activations.js";
export { crossEntropy } from "./cross-entropy.js";
export {
  type DropoutNumbers,
  type DropoutOptions,
  dropout,
  dropoutFrom,
  type SiteNumbers,
  siteNumbers,
} from "./dropout.js";
export { dropoutNumbers } from "./dropout-numbers.js";
export { rmsNorm } from "./norm.js";
