/** What the manifests of some peers do not say, as the user gives it. It never counts before what they say. */
export interface AccessOptions {
  readonly tenantId: string | undefined;
  /** Of the application, for workload identity. */
  readonly clientId: string | undefined;
  /** Whose token is exchanged, for workload identity. */
  readonly serviceAccount: string | undefined;
  /** Client id of a managed identity of the nodes. */
  readonly identityId: string | undefined;
}

export interface ConvertOptions extends AccessOptions {
  /** What can't be converted is left out of its Secret, instead of the Secret. */
  readonly isPartial: boolean;
  /** The Secrets exist already, and their owners agree to have them taken over. */
  readonly isAdopting: boolean;
}
