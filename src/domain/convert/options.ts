/** Settings from the user that the manifests of some peers lack. Settings in a manifest take precedence. */
export interface AccessOptions {
  readonly tenantId: string | undefined;
  /** Client id of the application, for workload identity. */
  readonly clientId: string | undefined;
  /** ServiceAccount whose token the worker exchanges, for workload identity. */
  readonly serviceAccount: string | undefined;
  /** Client id of a managed identity of the nodes. */
  readonly identityId: string | undefined;
}

export interface ConvertOptions extends AccessOptions {
  /** Whether to omit only the parts that cannot be converted from a Secret, instead of the whole Secret. */
  readonly isPartial: boolean;
  /** Whether the Secrets exist already and their owners consent to the takeover. */
  readonly isAdopting: boolean;
}
