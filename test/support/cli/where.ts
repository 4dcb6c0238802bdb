/** The command `where` on a cluster with one object of a vault, its class, and its Secret. */
import type { Manifest } from "../cluster/shipped-manifests.ts";
import { usedClass, usedSecret, usedStatus } from "../fixtures/used-objects.ts";
import { runOffline } from "./cli.ts";
import { heldCluster } from "./held-cluster.ts";

/** The clock of a command in a test is fixed, at a time long after all times here. */
export async function whereIs(objects: readonly Manifest[], ...args: readonly string[]) {
  const { code, output, notes } = await runOffline(["where", ...args, "-o", "json"], "", { cluster: heldCluster(objects) });
  const report = JSON.parse(output);
  return { code, notes, report, object: report.objects?.[0] };
}

export const OLD = "a".repeat(32);
export const NEW = "b".repeat(32);
export const CLASS = usedClass("web", { objects: ["secret/db-pass"], secrets: { db: { password: "db-pass" } } });
/** A Secret that was created at second 10 and received its version at second 100. */
export const SECRET = usedSecret("db", { className: "web", objects: `secret/db-pass@${NEW}`, createdAt: 10, writtenAt: 100 });
export const STATUS = usedStatus("web", {
  db: [{ key: "password", object: "secret/db-pass", version: NEW, since: 100, updated: 90, expires: 9_000 }],
});

export const byEnv = { env: [{ name: "PASSWORD", valueFrom: { secretKeyRef: { name: "db", key: "password" } } }] };
