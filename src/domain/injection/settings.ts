/** What the operator's settings say about injection. */
export interface InjectionSettings {
  /** Of this build; written into the status annotation. */
  readonly version: string;
  /** An unknown annotation under our prefix is denied instead of warned about. */
  readonly strictAnnotations: boolean;
  /**
   * Whoever asks may read the classes: the API server that shows its certificate, or the user of a command. To anybody else messages hold
   * the words of the request alone, and nothing that only the cluster knows. Default: not.
   */
  readonly isCallerTrusted?: boolean;
}

export const CSI_DRIVER = "secrets-store.csi.k8s.io";
export const DEFAULT_CREDENTIALS_SECRET = "secrets-store-creds";
export const DEFAULT_MOUNT_PATH = "/mnt/secrets-store";
export const DEFAULT_VOLUME_NAME = "secrets-store-inline";
