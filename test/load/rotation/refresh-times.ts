/** Reads when ExternalSecrets are refreshed, according to their own status. */
import { objectKey } from "../../../src/domain/object-key.ts";
import type { Random } from "../../simulation/time/random.ts";
import { mergePatch, send } from "../../support/worker/sync-world.ts";
import { API } from "../sync/external-secrets.ts";
import type { Stage } from "../sync/stage.ts";
import { type BenchObject, inParallel } from "../sync/vaults.ts";

type Place = Pick<Stage, "plane" | "objects">;

/** Sets the last refresh of each to a random moment within the past interval. The operator must not run. */
export async function spreadRefreshes(
  { plane, objects }: Place,
  { intervalSeconds, random }: { readonly intervalSeconds: number; readonly random: Random },
): Promise<void> {
  await inParallel(objects, (object) => {
    const refreshTime = new Date(Date.now() - random.between(0, intervalSeconds * 1_000)).toISOString().replace(/\.\d+Z$/, "Z");
    return mergePatch(plane, `${pathOf(object)}/status`, { status: { refreshTime } });
  });
}

export async function setRefreshInterval({ plane, objects }: Place, intervalSeconds: number): Promise<void> {
  await inParallel(objects, (object) => mergePatch(plane, pathOf(object), { spec: { refreshInterval: `${intervalSeconds}s` } }));
}

/** Returns the Unix time of the last refresh in milliseconds, by `namespace/name`. The status has a resolution of one second. */
export async function refreshTimes({ plane, objects }: Place): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>();
  for (const namespace of new Set(objects.map(({ vault }) => vault.name))) {
    const { body } = await send(plane, { method: "GET", path: `${API}/namespaces/${namespace}/externalsecrets` });
    const { items } = body as ExternalSecrets; // The operator's definition guarantees this shape.
    for (const { metadata, status } of items) {
      if (status?.refreshTime === undefined) throw new Error(`ExternalSecret ${namespace}/${metadata.name} was never refreshed`);
      times.set(objectKey({ namespace, name: metadata.name }), Date.parse(status.refreshTime));
    }
  }
  return times;
}

interface ExternalSecrets {
  readonly items: readonly { readonly metadata: { readonly name: string }; readonly status?: { readonly refreshTime?: string } }[];
}

function pathOf({ vault, name }: BenchObject): string {
  return `${API}/namespaces/${vault.name}/externalsecrets/${name}`;
}
