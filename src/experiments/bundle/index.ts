/** Training elsewhere: the bundle that other programs train, and what they left. */
export { finetuneWithRay, type RaySettings } from "./ray/finetune.js";
export { importTraining } from "./results.js";
export { type EngineSettings, finetuneWithTorch } from "./torch.js";
export { exportTraining, type WrittenBundle } from "./write.js";
