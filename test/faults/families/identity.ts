import { CREDENTIALS, createCredentials, mergePatch, secretPath, send } from "../../support/worker/sync-world.ts";
import type { Cell } from "../cell.ts";
import type { Evidence, Fault, Target } from "../fault.ts";
import { ALWAYS, loggedOfAll, metByAll } from "../signs.ts";

const ENTRA = "login.microsoftonline.com";

/** After a rejection, the worker retries at the next poll, in 10 s, or after 60 s if credentials were missing. */
const REFUSED_SECONDS = 30;

const eachOf = async (cells: readonly Cell[], action: (cell: Cell) => Promise<unknown>): Promise<void> => {
  for (const cell of cells) await action(cell);
};

/** Requests to the vaults and to Entra, which has a path for each tenant. */
function requestsWith({ world, all, requestMark }: Target, status: number, word: string): Evidence {
  return async () => {
    const found = (await world.requests.since(requestMark)).filter((one) => one.status === status);
    return metByAll(all, found, {
      isOf: ({ host, path }, cell) => host === cell.host || path.startsWith(`/${cell.tenantId}/`),
      reported: (count) => `${word}: ${count} answered ${status}`,
    });
  };
}

const storeCredentials = (
  { world }: Target,
  cell: Cell,
  credentials: Readonly<Record<string, string>> = cell.credentials,
): Promise<unknown> => mergePatch(world.plane, secretPath(cell.namespace, CREDENTIALS), { stringData: credentials });

/** Faults of the worker's identity in Azure. */
export const identityFaults: readonly Fault[] = [
  {
    name: "the permission on the vaults removed and given back",
    bound: REFUSED_SECONDS,
    strike: async (target) => {
      await eachOf(target.all, (cell) => cell.revoke());
      return {
        evidence: requestsWith(target, 403, "request log of the vaults"),
        mend: () => eachOf(target.all, (cell) => cell.grant()),
      };
    },
  },
  {
    name: "the client secret revoked in Entra, and a new one stored",
    bound: REFUSED_SECONDS,
    strike: async (target) => {
      // The sign-in uses a wrong secret in the cluster, because tokens that were issued before would hide the revocation for an hour.
      await eachOf(target.all, async (cell) => {
        await storeCredentials(target, cell, { ...cell.credentials, clientsecret: "revoked" });
        await cell.replaceClientSecret();
      });
      return {
        evidence: requestsWith(target, 401, "request log of Entra"),
        mend: () => eachOf(target.all, (cell) => storeCredentials(target, cell)),
      };
    },
  },
  {
    name: "the credentials Secret deleted and restored",
    bound: 60 + REFUSED_SECONDS,
    strike: async (target) => {
      const { plane } = target.world;
      await eachOf(target.all, ({ namespace }) => send(plane, { method: "DELETE", path: secretPath(namespace, CREDENTIALS) }));
      return {
        evidence: loggedOfAll(target, {
          isMeant: ({ name, code }) => name === CREDENTIALS && code === 404,
          reported: (count) => `audit log: ${count} reads of credentials answered 404`,
        }),
        mend: () => eachOf(target.all, ({ namespace, credentials }) => createCredentials(plane, namespace, credentials)),
      };
    },
  },
  {
    name: "Entra 503 while the client secret is changed",
    // After a 5xx, the sign-in library sends no request for 60 s. Meanwhile each probe of the vault's breaker fails, and its pause doubles
    // up to 60 s.
    bound: 60 + 60 + 10,
    strike: async (target) => {
      const { world, all } = target;
      await eachOf(all, ({ tenantId }) =>
        world.emulator.injectFault({ host: ENTRA, path: `/${tenantId}`, kind: "status", status: 503, times: ALWAYS }),
      );
      await eachOf(all, async (cell) => {
        await cell.replaceClientSecret();
        await storeCredentials(target, cell);
      });
      return {
        evidence: requestsWith(target, 503, "request log of Entra"),
        mend: () => world.emulator.clearFaults({ host: ENTRA }),
      };
    },
  },
  {
    name: "every object disabled, and enabled again",
    bound: REFUSED_SECONDS,
    strike: async (target) => {
      const { world, all } = target;
      await eachOf(all, async (cell) => {
        cell.afterRotation = async (name) => void (await world.emulator.disableSecret({ vault: cell.vault, name }));
        for (const name of cell.names) await world.emulator.disableSecret({ vault: cell.vault, name });
      });
      return {
        evidence: requestsWith(target, 403, "request log of the vaults"),
        mend: () =>
          eachOf(all, async (cell) => {
            cell.afterRotation = async () => undefined;
            for (const name of cell.names) await world.emulator.enableSecret({ vault: cell.vault, name });
          }),
      };
    },
  },
  {
    name: "half of the objects deleted, and set again",
    bound: REFUSED_SECONDS,
    strike: async (target) => {
      const { world, all } = target;
      const isGone = (_: string, index: number): boolean => index % 2 === 0;
      await eachOf(all, async (cell) => {
        for (const name of cell.names.filter(isGone)) {
          cell.resting.add(name);
          await world.emulator.deleteSecret({ vault: cell.vault, name });
        }
      });
      return {
        evidence: requestsWith(target, 404, "request log of the vaults"),
        mend: () =>
          eachOf(all, async (cell) => {
            for (const name of cell.resting) await cell.rotate(name);
            cell.resting.clear();
          }),
      };
    },
  },
];
