import { type ObjectRef, RESOURCES, type Secret } from "../../domain/kubernetes.ts";
import type { Viewer } from "../cluster.ts";
import { CREDENTIALS_KEYS, PADDED, paddedKeys } from "../padded-credentials.ts";
import { type Step, step } from "./explanation.ts";

/** Whether the Secret of a service principal is there and has its keys. Of its values nothing is kept. */
export async function credentialsStep(viewer: Viewer, ref: ObjectRef): Promise<Step> {
  const look = await viewer.object<Secret>(RESOURCES.secrets, ref);
  if (look.kind === "unseen")
    return step("credentials", "unknown", `${look.why}: whether it has ${CREDENTIALS_KEYS.join(" and ")} is not known`);
  if (look.kind !== "seen") {
    return step(
      "credentials",
      "problem",
      `Secret ${ref.name} does not exist: create it with ${CREDENTIALS_KEYS.join(" and ")}, or the mount fails`,
    );
  }
  const present = Object.keys(look.value.data ?? {}).map((key) => key.toLowerCase());
  const missing = CREDENTIALS_KEYS.filter((key) => !present.includes(key));
  if (missing.length > 0) return step("credentials", "problem", `Secret ${ref.name} has no ${missing.join(" and no ")}: add it`);
  const padded = paddedKeys(look.value.data ?? {});
  if (padded.length > 0)
    return step(
      "credentials",
      "problem",
      `${padded.join(" and ")} of Secret ${ref.name} ${PADDED}; write it again by kubectl create secret generic --from-literal`,
    );
  return step("credentials", "ok", `Secret ${ref.name} has ${CREDENTIALS_KEYS.join(" and ")}`);
}
