/** What the operator's settings say about injection. */
export interface InjectionSettings {
  /** Of this build; written into the status annotation. */
  readonly version: string;
  /** An unknown annotation under our prefix is denied instead of warned about. */
  readonly strictAnnotations: boolean;
}

export const CSI_DRIVER = "secrets-store.csi.k8s.io";
export const DEFAULT_CREDENTIALS_SECRET = "secrets-store-creds";
export const DEFAULT_MOUNT_PATH = "/mnt/secrets-store";
export const DEFAULT_VOLUME_NAME = "secrets-store-inline";
