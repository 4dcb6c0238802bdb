/** Who writes is who leads. */
import { API_HOST } from "../world/cluster.ts";
import type { World } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";

export function holder({ cluster }: World): string {
  const lease = cluster.server.object("leases.coordination.k8s.io", "keyvault-injector-sync", "keyvault-injector");
  const spec = lease?.["spec"] as { holderIdentity?: string } | undefined;
  return spec?.holderIdentity ?? "";
}

const READS = new Set(["GET"]);

/** A write may arrive late, whatever anybody does; it must not leave a replica that has been replaced. */
export const leaderWrites: Invariant = {
  name: "no write leaves a replica that does not lead",
  watch: (world, violated) => {
    world.onSend(({ machine, host, method, path, body }) => {
      if (host !== API_HOST || machine === undefined || READS.has(method)) return;
      const isFree =
        path.includes("/leases/") ||
        path.includes("dryRun=All") ||
        body.includes('"dryRun":["All"]') ||
        path.includes("selfsubjectaccessreviews") ||
        path.includes("/token");
      if (isFree) return;
      const name = machine.name.split("/")[0] ?? "";
      if (!holder(world).startsWith(`${name}_`))
        violated(`${machine.name} sends ${method} ${path.split("?")[0] ?? ""} while ${holder(world)} leads`);
    });
  },
};
