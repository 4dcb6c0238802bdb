import { objectKey } from "../../../src/domain/object-key.ts";
import { untilNextPoll } from "../../../src/domain/schedule/phase.ts";
import { inClasses } from "./keyvault-injector.ts";
import type { Stage } from "./stage.ts";

export interface Span {
  /** Unix time in milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly intervalMs: number;
}

/** Returns the hosts of the vaults with a class whose poll was due in this time. */
export async function vaultsDue(
  { plane, objects }: Pick<Stage, "plane" | "objects">,
  { from, to, intervalMs }: Span,
): Promise<ReadonlySet<string>> {
  const cluster = (await plane.kubectl(["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"])).trim();
  const due = inClasses(objects).filter(
    (each) => untilNextPoll({ cluster, key: objectKey(each), interval: intervalMs, now: from }) <= to - from,
  );
  return new Set(due.map(({ namespace }) => `${namespace}.vault.azure.net`));
}
