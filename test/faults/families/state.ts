import type { KubeObject } from "../../../src/domain/kubernetes.ts";
import { HMAC_KEY_SECRET } from "../../../src/sync/hmac-key.ts";
import { apiRequest } from "../../support/cluster/api-request.ts";
import { eventually } from "../../support/time/eventually.ts";
import { CLASS_CRD, createClass, find, STATUS_CRD, secretPath, send } from "../../support/worker/sync-world.ts";
import type { Fault, Target } from "../fault.ts";

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

const crdUid = async ({ world }: Target, name: string): Promise<string | undefined> =>
  (await find<KubeObject>(world.plane, `${CRDS}/${name}`))?.metadata.uid;

const deletedCrd = (name: string): Fault["strike"] => {
  return async (target) => {
    const { world, cells, auditMark } = target;
    const before = await crdUid(target, name);
    await send(world.plane, { method: "DELETE", path: `${CRDS}/${name}` });
    return {
      evidence: async () => {
        const now = await crdUid(target, name);
        const healed = world.audit
          .since(auditMark)
          .filter(({ resource, name: of, code }) => resource.endsWith("/customresourcedefinitions") && of === name && code === 201);
        return now !== undefined && now !== before && healed.length > 0
          ? `audit log: the CRD was made again by the worker, uid ${now}`
          : undefined;
      },
      // If a class was deleted before the worker saw it, only its owner can reapply it.
      mend: async () => {
        const cell = cells["first sync"];
        await eventually(async () => {
          for (const provider of cell.classes())
            await createClass(world.plane, provider).catch((error: unknown) => {
              if (!String(error).includes(": 409 ")) throw error;
            });
          return true;
        });
      },
    };
  };
};

/** Faults of the state that the install keeps in the cluster. */
export const stateFaults: readonly Fault[] = [
  { name: "the class CRD deleted under load", bound: 30, strike: deletedCrd(CLASS_CRD) },
  { name: "the status CRD deleted under load", bound: 30, strike: deletedCrd(STATUS_CRD) },
  {
    name: "the fingerprint key deleted, and the leader ended",
    bound: 40,
    strike: async ({ world, auditMark }) => {
      const leader = await world.replicas.leader();
      await send(world.plane, { method: "DELETE", path: secretPath("keyvault-injector", HMAC_KEY_SECRET) });
      process.kill(leader.process.pid, "SIGTERM");
      return {
        evidence: () => {
          const made = world.audit.since(auditMark).find(({ name, code }) => name === HMAC_KEY_SECRET && code === 201);
          return made === undefined ? undefined : `audit log: the worker made another key at ${made.time}`;
        },
        mend: async () => undefined,
      };
    },
  },
  {
    name: "the outbound proxy gone",
    bound: 60,
    strike: async ({ world }) => {
      await world.vaultProxy.close();
      const { port } = new URL(world.vaultProxy.url);
      return {
        evidence: () =>
          apiRequest({ ...world.plane, server: `https://127.0.0.1:${port}` }, { method: "GET", path: "/" }).then(
            () => undefined,
            (error: unknown) => (String(error).includes("ECONNREFUSED") ? `kernel: port ${port} refuses connections` : undefined),
          ),
        mend: () => world.vaultProxy.open(),
      };
    },
  },
];
