import type { Config } from "../runtime/config.ts";

export interface WorkerSettings
  extends Pick<
    Config,
    "syncSecret" | "enableSecretRotation" | "rotationPollInterval" | "syncMode" | "unusedGrace" | "expiryWarning" | "adoptDriverSecrets"
  > {
  /** `--heal=classes` */
  readonly restoresClasses: boolean;
}
