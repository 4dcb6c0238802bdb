import { RESOURCES } from "../../domain/kubernetes.ts";
import { conditionOf } from "../../domain/sync/class-status.ts";
import { readStatus, type SecretProviderClassSync } from "../../domain/sync/stored-status.ts";
import { type Check, fine, skipped, warn } from "./check.ts";

export const checkClasses: Check = async ({ viewer }) => {
  const look = await viewer.all<SecretProviderClassSync>(RESOURCES.secretProviderClassSyncs);
  if (look.kind !== "seen") return [skipped("classes", look, "crds")];
  const failing = look.value.flatMap(({ metadata, status }) => {
    const synced = conditionOf(readStatus(status), "Synced");
    return synced === undefined || synced.status === "True" ? [] : [{ metadata, synced }];
  });
  if (failing.length === 0) return [fine("classes", `${look.value.length} classes are mirrored, none fails`)];
  return failing.map(({ metadata: { namespace = "", name }, synced: { reason, message } }) =>
    warn("classes", `${namespace}/${name} is ${reason}: ${message}`, `keyvault-injector explain spc/${name} -n ${namespace}`),
  );
};
