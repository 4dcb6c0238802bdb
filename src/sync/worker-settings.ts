import type { SyncMode } from "../domain/schedule/class-annotations.ts";

export interface WorkerSettings {
  readonly syncSecret: boolean;
  readonly enableSecretRotation: boolean;
  /** Milliseconds. */
  readonly rotationPollInterval: number;
  readonly syncMode: SyncMode;
  /** How long the Secrets of a `while-used` class outlive its last consumer. Milliseconds. */
  readonly unusedGrace: number;
  /** How long before an object expires its class is warned. Milliseconds. */
  readonly expiryWarning: number;
  /** `--adopt-driver-secrets` */
  readonly adoptsDriverSecrets: boolean;
  /** `--heal=classes` */
  readonly restoresClasses: boolean;
}
