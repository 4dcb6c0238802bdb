import { MANAGED_LABEL } from "../../../src/domain/annotations.ts";
import { createClass, mergePatch, SYNC_USER, secretPath, send } from "../../support/worker/sync-world.ts";
import type { Cell } from "../cell.ts";
import type { Evidence, Fault, Target } from "../fault.ts";
import { loggedOfAll } from "../signs.ts";
import { isSecretWrite } from "../trails.ts";

/** A repair does not need a poll. Objects that were rotated in the meantime wait for the next one. */
const REPAIR_SECONDS = 25;

const CLASSES = "/apis/secrets-store.csi.x-k8s.io/v1";

/** Runs the action on the first half of each cell's existing Secrets. A cell in its first sync may have fewer. */
async function strikeSecrets({ world, all }: Target, action: (cell: Cell, name: string) => Promise<unknown>): Promise<void> {
  for (const cell of all) {
    const present = cell.names.filter((name) => world.revisions.of(cell.namespace, name).at(-1) !== undefined);
    await Promise.all(present.slice(0, 25).map((name) => action(cell, name)));
  }
}

const refusals = (target: Target, code: number, what: string): Evidence =>
  loggedOfAll(target, {
    isMeant: (entry) => entry.resource === "secrets" && entry.verb !== "list" && entry.code === code,
    reported: (count) => `audit log: ${count} writes of Secrets answered ${code} ${what}`,
  });

const repairs = (target: Target, verb: string): Evidence =>
  loggedOfAll(target, {
    isMeant: (entry) => isSecretWrite(entry) && entry.verb === verb,
    reported: (count) => `audit log: the worker's repairs, ${count} times ${verb}`,
  });

/** Selects the namespaces of the cells. */
const inCells = ({ all }: Target) => ({
  matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values: all.map(({ namespace }) => namespace) }],
});

const SECRET_WRITES = { apiGroups: [""], apiVersions: ["v1"], resources: ["secrets"], operations: ["CREATE", "UPDATE"] };

/** Changes of other users to Secrets, classes and namespaces. */
export const secretFaults: readonly Fault[] = [
  {
    name: "Secrets deleted by others",
    bound: REPAIR_SECONDS,
    strike: async (target) => {
      const { plane } = target.world;
      await strikeSecrets(target, ({ namespace }, name) =>
        send(plane, { method: "DELETE", path: secretPath(namespace, name) }).catch(() => undefined),
      );
      return { evidence: repairs(target, "create"), mend: async () => undefined };
    },
  },
  {
    name: "Secrets edited by others",
    bound: REPAIR_SECONDS,
    strike: async (target) => {
      const edit = { stringData: { value: "edited" } };
      await strikeSecrets(target, ({ namespace }, name) => mergePatch(target.world.plane, secretPath(namespace, name), edit));
      return { evidence: repairs(target, "patch"), mend: async () => undefined };
    },
  },
  {
    name: "the label taken off Secrets, and put back",
    bound: 60 + REPAIR_SECONDS,
    strike: async (target) => {
      const { plane } = target.world;
      const label = (value: string | null) => ({ metadata: { labels: { [MANAGED_LABEL]: value } } });
      const struck: [Cell, string][] = [];
      await strikeSecrets(target, (cell, name) => {
        struck.push([cell, name]);
        return mergePatch(plane, secretPath(cell.namespace, name), label(null));
      });
      return {
        evidence: () => {
          const taken = target.world.audit
            .since(target.auditMark)
            .filter(({ verb, code, resource }) => verb === "create" && code === 409 && resource === "secrets");
          return taken.length > 0 ? `audit log: ${taken.length} creates answered 409, and the Secrets of others left alone` : undefined;
        },
        mend: async () => {
          await Promise.all(struck.map(([{ namespace }, name]) => mergePatch(plane, secretPath(namespace, name), label("true"))));
        },
      };
    },
  },
  {
    name: "classes deleted, and made again",
    bound: REPAIR_SECONDS,
    strike: async (target) => {
      const { world, all } = target;
      for (const { namespace } of all) {
        await send(world.plane, { method: "DELETE", path: `${CLASSES}/namespaces/${namespace}/secretproviderclasses` });
      }
      return {
        evidence: loggedOfAll(target, {
          isMeant: (entry) => isSecretWrite(entry) && entry.verb === "delete",
          reported: (count) => `audit log: ${count} Secrets deleted by the worker with their classes`,
        }),
        mend: async () => {
          for (const cell of all) await Promise.all(cell.classes().map((provider) => createClass(world.plane, provider)));
        },
      };
    },
  },
  {
    name: "a broken webhook of somebody else on Secrets (500)",
    bound: 60 + REPAIR_SECONDS,
    strike: async (target) => {
      const path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
      const webhook = {
        name: "broken.test.keyvault-injector.dev",
        clientConfig: { url: "https://127.0.0.1:9/" },
        rules: [SECRET_WRITES],
        namespaceSelector: inCells(target),
        failurePolicy: "Fail",
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
      };
      const body = {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingWebhookConfiguration",
        metadata: { name: "broken" },
        webhooks: [webhook],
      };
      await send(target.world.plane, { method: "POST", path, body });
      return {
        evidence: refusals(target, 500, "by the webhook"),
        mend: async () => void (await send(target.world.plane, { method: "DELETE", path: `${path}/broken` })),
      };
    },
  },
  {
    name: "a policy of somebody else on Secrets (403)",
    bound: 60 + REPAIR_SECONDS,
    strike: async (target) => {
      const { plane } = target.world;
      const path = "/apis/admissionregistration.k8s.io/v1";
      const meta = { apiVersion: "admissionregistration.k8s.io/v1", metadata: { name: "nobody-writes-secrets" } };
      const spec = {
        failurePolicy: "Fail",
        matchConstraints: { resourceRules: [SECRET_WRITES], namespaceSelector: inCells(target) },
        validations: [{ expression: `request.userInfo.username != '${SYNC_USER}'`, reason: "Forbidden" }],
      };
      await send(plane, {
        method: "POST",
        path: `${path}/validatingadmissionpolicies`,
        body: { ...meta, kind: "ValidatingAdmissionPolicy", spec },
      });
      const binding = { policyName: meta.metadata.name, validationActions: ["Deny"] };
      const body = { ...meta, kind: "ValidatingAdmissionPolicyBinding", spec: binding };
      await send(plane, { method: "POST", path: `${path}/validatingadmissionpolicybindings`, body });
      return {
        evidence: refusals(target, 403, "by the policy"),
        mend: async () => {
          for (const kind of ["validatingadmissionpolicybindings", "validatingadmissionpolicies"])
            await send(plane, { method: "DELETE", path: `${path}/${kind}/${meta.metadata.name}` });
        },
      };
    },
  },
  {
    name: "a namespace full of other Secrets and their changes",
    bound: REPAIR_SECONDS,
    strike: async (target) => {
      const { plane } = target.world;
      const filler = (name: string) => ({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name },
        stringData: { filler: "x".repeat(4_000) },
      });
      for (const { namespace } of target.all) {
        const names = Array.from({ length: 200 }, (_, index) => `filler-${index}`);
        for (let start = 0; start < names.length; start += 25) {
          await Promise.all(
            names
              .slice(start, start + 25)
              .map((name) => send(plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/secrets`, body: filler(name) })),
          );
        }
      }
      const count = async ({ namespace }: Cell): Promise<number> => {
        const { body } = await send(plane, { method: "GET", path: `/api/v1/namespaces/${namespace}/secrets` });
        return (body as { readonly items: readonly unknown[] }).items.length; // A list.
      };
      return {
        evidence: async () => `API server: ${(await Promise.all(target.all.map(count))).join(", ")} Secrets in the namespaces`,
        mend: async () => undefined,
      };
    },
  },
];
