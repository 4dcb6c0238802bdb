/**
 * Reasons of events on a class, on a Gateway or Ingress, or on the worker's Deployment, that are told beside its {@link SYNC_REASONS}: what happened, where those say how it stands.
 * `docs/reference/reasons.md` has a row for each.
 */
export const EVENT_REASONS = [
  /** Somebody edited or deleted a mirrored Secret, and it is as it was. */
  "SecretRepaired",
  /** A Secret was deleted and made anew, because the API server changes no type and no immutable content. */
  "SecretReplaced",
  /** The class was lost or cut with its CRD, and is as its snapshot has it. */
  "ClassRestored",
  /** An object of the class expires soon. */
  "ObjectExpiring",
  /** A component of the install was edited or deleted, and is as its installer left it. */
  "ComponentHealed",
  /** A workload of the install was restarted, because its ServiceAccount is a new one. */
  "ComponentRestarted",
  /** Something of the install is damaged and is not healed. */
  "ComponentDamaged",
  /** A platform has changed a component within what it may, and that is left. */
  "ComponentTolerated",
  /** A Gateway or an Ingress asks for a certificate in a way that nothing can be made of. */
  "InvalidTlsOption",
  /** Something that somebody else wrote is where the certificate of a Gateway or an Ingress would go. */
  "TlsConflict",
  /** The class that was made for a Gateway or an Ingress is not mirrored. */
  "CertificateNotSynced",
] as const;

export type EventReason = (typeof EVENT_REASONS)[number];
