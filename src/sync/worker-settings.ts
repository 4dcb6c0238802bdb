import type { Config } from "../runtime/config.ts";

export type WorkerSettings = Pick<
  Config,
  | "syncSecret"
  | "enableSecretRotation"
  | "rotationPollInterval"
  | "syncMode"
  | "unusedGrace"
  | "expiryWarning"
  | "adoptDriverSecrets"
  | "heal"
>;
