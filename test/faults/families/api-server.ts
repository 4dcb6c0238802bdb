import { apiRequest } from "../../support/cluster/api-request.ts";
import { eventually } from "../../support/time/eventually.ts";
import { classPath, listAll, mergePatch, SYNC_USER, send } from "../../support/worker/sync-world.ts";
import type { Evidence, Fault, Target } from "../fault.ts";
import type { ServerProcess } from "../server-process.ts";
import type { FaultWorld } from "../world.ts";

/** Back-off of reflectors and queue after a short outage (from 0.4 s and from 1 s, each doubling), then a poll. */
const ABSENCE_SECONDS = 30;

/** The same if both replicas may have ended in the meantime, because they could not renew the Lease in time: start, lease, list, poll. */
const FAILOVER_SECONDS = 5 + 20 + 10 + 10;

async function isReady({ plane }: FaultWorld): Promise<boolean> {
  return (await apiRequest(plane, { method: "GET", path: "/readyz" })).status === 200;
}

function ready(world: FaultWorld): Promise<boolean> {
  return eventually(() => isReady(world), { within: 60_000, what: "the API server's return" });
}

const ended = (server: ServerProcess): Evidence => {
  return () => (server.state === undefined || server.state === "Z" ? `kernel: ${server.name} is no more` : undefined);
};

const stopped = (server: ServerProcess): Evidence => {
  return () => (server.state === "T" ? `kernel: ${server.name} is stopped` : undefined);
};

const answered = ({ world, auditMark }: Target, isMeant: (code: number) => boolean, what: string): Evidence => {
  return () => {
    const codes = world.audit.since(auditMark).filter(({ code }) => isMeant(code));
    return codes.length > 0 ? `audit log: ${codes.length} requests of the worker answered ${what}` : undefined;
  };
};

const killed = (which: "apiServer" | "etcd"): Fault["strike"] => {
  return async (target) => {
    const { world } = target;
    const server = world[which];
    await server.kill();
    const evidence = which === "apiServer" ? ended(server) : answered(target, (code) => code >= 500, "5xx");
    return {
      evidence,
      mend: () => server.start(() => isReady(world)),
    };
  };
};

const frozen = (which: "apiServer" | "etcd"): Fault["strike"] => {
  return async ({ world }) => {
    world[which].signal("SIGSTOP");
    return {
      evidence: stopped(world[which]),
      mend: async () => {
        world[which].signal("SIGCONT");
        await ready(world);
      },
    };
  };
};

/** Removes the history from which a watch would continue: the API server restarts with a compacted etcd while the replicas are cut off. */
async function strikeHistory({ world, all }: Target): Promise<{ readonly evidence: Evidence; mend(): Promise<void> }> {
  const { plane, apiServer, replicas } = world;
  const from = await versionOfList(world);
  for (const { proxy } of replicas.all) {
    proxy.refusing = true;
    proxy.cut();
  }
  for (const cell of all) {
    const [provider] = cell.classes();
    await mergePatch(plane, classPath(cell.namespace, provider?.metadata.name ?? ""), { metadata: { annotations: { touched: from } } });
    for (const name of cell.names.slice(0, 5)) await touchSecret(world, cell.namespace, name, from);
  }
  await apiServer.kill();
  await apiServer.start(() => isReady(world));
  const reconnect = (): void => {
    for (const { proxy } of replicas.all) proxy.refusing = false;
  };
  return {
    evidence: async () => {
      const answer = await watchOnce(world, from);
      if (!answer.includes('"code":410')) return undefined;
      reconnect();
      return `API server: a watch from resourceVersion ${from}, which the worker had, is answered 410`;
    },
    mend: async () => reconnect(),
  };
}

async function versionOfList({ plane }: FaultWorld): Promise<string> {
  const { body } = await send(plane, { method: "GET", path: "/api/v1/secrets?limit=1" });
  return (body as { readonly metadata: { readonly resourceVersion: string } }).metadata.resourceVersion; // Every list contains it.
}

/** Changes an existing Secret like another user. */
async function touchSecret({ plane }: FaultWorld, namespace: string, name: string, value: string): Promise<void> {
  const body = { metadata: { annotations: { "example.com/touched": value } } };
  await apiRequest(plane, {
    method: "PATCH",
    path: `/api/v1/namespaces/${namespace}/secrets/${name}`,
    body,
    contentType: "application/merge-patch+json",
  });
}

async function watchOnce({ plane }: FaultWorld, from: string): Promise<string> {
  const path = `/api/v1/secrets?watch=true&resourceVersion=${from}&timeoutSeconds=1`;
  const { body } = await apiRequest(plane, { method: "GET", path });
  return typeof body === "string" ? body : JSON.stringify(body);
}

const FLOW = "/apis/flowcontrol.apiserver.k8s.io/v1";

/** All resources of the worker except its Lease and the CRDs. */
const FLOODED = ["secrets", "secretproviderclasses", "secretproviderclasssyncs", "controllerrevisions", "pods", "events"];

async function strikeFlow(target: Target): Promise<{ readonly evidence: Evidence; mend(): Promise<void> }> {
  const { plane } = target.world;
  const limited = { nominalConcurrencyShares: 0, lendablePercent: 0, borrowingLimitPercent: 0, limitResponse: { type: "Reject" } };
  const meta = { apiVersion: "flowcontrol.apiserver.k8s.io/v1", metadata: { name: "no-room" } };
  const [, , namespace = "", name = ""] = SYNC_USER.split(":");
  const subject = { kind: "ServiceAccount", serviceAccount: { namespace, name } };
  const resourceRules = [{ verbs: ["*"], apiGroups: ["*"], resources: FLOODED, namespaces: ["*"], clusterScope: true }];
  const schema = {
    priorityLevelConfiguration: { name: "no-room" },
    matchingPrecedence: 50,
    rules: [{ subjects: [subject], resourceRules }],
  };
  const level = { ...meta, kind: "PriorityLevelConfiguration", spec: { type: "Limited", limited } };
  await send(plane, { method: "POST", path: `${FLOW}/prioritylevelconfigurations`, body: level });
  await send(plane, { method: "POST", path: `${FLOW}/flowschemas`, body: { ...meta, kind: "FlowSchema", spec: schema } });
  return {
    evidence: answered(target, (code) => code === 429, "429"),
    mend: async () => {
      await send(plane, { method: "DELETE", path: `${FLOW}/flowschemas/no-room` });
      await send(plane, { method: "DELETE", path: `${FLOW}/prioritylevelconfigurations/no-room` });
    },
  };
}

/** Faults of the API server, and of the connection between it and the worker. */
export const apiServerFaults: readonly Fault[] = [
  { name: "the API server killed and started again", bound: FAILOVER_SECONDS, strike: killed("apiServer") },
  { name: "the API server stopped and continued", bound: FAILOVER_SECONDS, strike: frozen("apiServer") },
  { name: "etcd killed and started again (5xx of the API server)", bound: FAILOVER_SECONDS, strike: killed("etcd") },
  { name: "etcd stopped and continued", bound: FAILOVER_SECONDS, strike: frozen("etcd") },
  {
    name: "a slow API server (500 ms each way)",
    bound: ABSENCE_SECONDS,
    strike: async ({ world }) => {
      const proxies = world.replicas.all.map(({ proxy }) => proxy);
      for (const proxy of proxies) proxy.delayMs = 500;
      return {
        evidence: () => `proxy: ${proxies.length} replicas, everything 500 ms late`,
        mend: async () => {
          for (const proxy of proxies) proxy.delayMs = 0;
        },
      };
    },
  },
  {
    name: "watches and requests cut again and again",
    bound: ABSENCE_SECONDS,
    strike: async ({ world }) => {
      const proxies = world.replicas.all.map(({ proxy }) => proxy);
      const connections = (): number => proxies.reduce((sum, proxy) => sum + proxy.connections, 0);
      const before = connections();
      const timer = setInterval(() => {
        for (const proxy of proxies) proxy.cut();
      }, 500);
      return {
        evidence: () => (connections() - before > 10 ? `proxy: ${connections() - before} connections cut and made anew` : undefined),
        mend: async () => clearInterval(timer),
      };
    },
  },
  { name: "watch history gone (410)", bound: FAILOVER_SECONDS, strike: strikeHistory },
  { name: "429 of the API server", bound: 60, strike: strikeFlow },
  {
    name: "the worker's rights taken and given back",
    bound: 75,
    strike: async (target) => {
      const { plane } = target.world;
      const path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
      const binding = (await listAll<{ apiVersion: string; kind: string; metadata: { name: string } }>(plane, path)).find(
        ({ metadata }) => metadata.name === "keyvault-injector-sync",
      );
      await send(plane, { method: "DELETE", path: `${path}/keyvault-injector-sync` });
      const { metadata, ...rest } = binding ?? { metadata: { name: "" } };
      return {
        evidence: answered(target, (code) => code === 403, "403"),
        mend: async () =>
          void (await send(plane, {
            method: "POST",
            path,
            body: { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding", ...rest, metadata: { name: metadata.name } },
          })),
      };
    },
  },
];
