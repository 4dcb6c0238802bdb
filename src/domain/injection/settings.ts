/** The operator's settings for injection. */
export interface InjectionSettings {
  /** Version of this build, for the status annotation. */
  readonly version: string;
  /** Whether unknown annotations with the project's prefix cause a denial instead of a warning. */
  readonly strictAnnotations: boolean;
  /**
   * Whether the caller can read the classes: the API server with its certificate, or the user of a command. For any other caller, messages
   * contain only words from the request, and no facts from the cluster. Default: false.
   */
  readonly isCallerTrusted?: boolean;
}

export const CSI_DRIVER = "secrets-store.csi.k8s.io";
export const DEFAULT_CREDENTIALS_SECRET = "secrets-store-creds";
export const DEFAULT_MOUNT_PATH = "/mnt/secrets-store";
export const DEFAULT_VOLUME_NAME = "secrets-store-inline";
