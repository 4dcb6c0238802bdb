import { type ObjectRef, RESOURCES, type Resource, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { shell } from "../../domain/shell-words.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import type { Viewer } from "../shared/viewer.ts";

/** Returns the resource if the kind is a Secret, which `explain` rejects only after it has looked for the class that syncs the Secret. */
export function secretResource(kind: string): Resource | undefined {
  return ["secret", "secrets"].includes(kind.toLowerCase()) ? RESOURCES.secrets : undefined;
}

/** Names the class to explain instead of a Secret. Reads no Secret. */
export async function insteadOfSecret(viewer: Viewer, { namespace, name }: Required<ObjectRef>): Promise<string> {
  const unsupported = "explain does not support Secrets";
  const reading = await viewer.all<SecretProviderClass>(RESOURCES.secretProviderClasses, { namespace });
  if (reading.kind === "unseen") return `${unsupported}; ${reading.why}: it is not known which class syncs ${name}`;
  const classes = reading.kind === "seen" ? reading.value : [];
  const syncing = classes.find((spc) => secretObjectsOf(spc).some(({ secretName }) => secretName === name))?.metadata.name;
  if (syncing !== undefined)
    return `${unsupported}; ${name} is synced by class ${syncing}: ${shell`run keyvault-injector explain spc/${syncing} -n ${namespace}`}`;
  return `${unsupported}; no class in namespace ${namespace} syncs ${name}`;
}
