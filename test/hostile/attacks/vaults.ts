/** Vaults that hang, lie or flood, named by the classes of a tenant, and tenants who name the victim's vault. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { Attack, Strike } from "../attack.ts";
import { type Behaviour, nameTenant } from "../hostile-vault.ts";
import { classNames, hostileClass, removeClasses } from "../tenant-classes.ts";
import type { HostileWorld, Tenant } from "../world.ts";

const SILENT_MS = 10_000_000;

/** The tenant's vault answers as `behaviour` defines, and the worker polls its classes all the time. */
async function lying(world: HostileWorld, behaviour: Behaviour, classes = 8): Promise<Strike> {
  const tenant = await world.tenant();
  const host = `${tenant.vault}.vault.azure.net`;
  nameTenant(host, tenant.tenantId);
  world.hostileVault.behave(behaviour);
  world.proxy.route(host, world.hostileVault.port);
  const before = world.hostileVault.requests;
  for (const name of classNames(classes)) await hostileClass(world, tenant, { name, objects: ["object"] });
  return {
    evidence: () => {
      const asked = world.hostileVault.requests - before;
      return asked === 0 ? undefined : `${classes} classes, ${asked} requests answered so`;
    },
    stop: () => removeClasses(world, tenant),
  };
}

function json(response: ServerResponse, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(200, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));
}

function isOneObject(url: URL): boolean {
  return url.pathname.split("/").filter((part) => part !== "").length >= 2;
}

function secretOf(url: URL, value: string): unknown {
  const id = `${url.origin}/secrets/object/00000000000000000000000000000001`;
  return { value, id, attributes: { enabled: true, created: 1, updated: 1 } };
}

/** Answers requests for objects like a vault, and those for lists as given. */
function withLists(list: (response: ServerResponse, url: URL) => void): Behaviour {
  return (_request: IncomingMessage, response, url) => {
    if (isOneObject(url)) json(response, secretOf(url, "x"));
    else list(response, url);
  };
}

const endlessPages = withLists((response, url) => {
  const page = Number(url.searchParams.get("$skiptoken") ?? "0");
  json(response, { value: [], nextLink: `${url.origin}/secrets?api-version=7.4&$skiptoken=${page + 1}` });
});

const pageOfItself = withLists((response, url) => json(response, { value: [], nextLink: url.toString() }));

const elsewhere = withLists((response) =>
  json(response, { value: [], nextLink: "https://169.254.169.254/metadata/instance?api-version=2021-02-01" }),
);

/** Sends gigabytes where a client expects a few kilobytes. */
const floodOfBytes: Behaviour = (_request, response) => {
  const chunk = Buffer.alloc(256 * 1024, "a");
  response.writeHead(200, { "Content-Type": "application/json" });
  response.write('{"value":"');
  const send = (): void => {
    while (!response.destroyed && response.write(chunk)) {
      // The loop ends when the peer is slower than this process.
    }
    response.once("drain", send);
  };
  send();
};

/** Two gibibytes of spaces in two mebibytes of gzip, as several members of one stream. */
function bomb(): Behaviour {
  const member = gzipSync(Buffer.alloc(64 * 1024 * 1024, " "));
  const body = Buffer.concat(Array.from({ length: 32 }, () => member));
  return (_request, response) => {
    response.writeHead(200, { "Content-Type": "application/json", "Content-Encoding": "gzip", "Content-Length": body.length });
    response.end(body);
  };
}

const drip: Behaviour = (_request, response) => {
  response.writeHead(200, { "Content-Type": "application/json" });
  const send = async (): Promise<void> => {
    while (!response.destroyed) {
      response.write(" ");
      await pause(1_000);
    }
  };
  void send();
};

const resets: Behaviour = (_request, response) => {
  response.socket?.destroy();
};

const redirects: Behaviour = (_request, response) => {
  response.writeHead(307, { Location: "http://169.254.169.254/metadata/identity/oauth2/token?resource=https://vault.azure.net" }).end();
};

const foreignChallenge: Behaviour = (_request, response) => {
  response
    .writeHead(401, {
      "WWW-Authenticate": 'Bearer authorization="https://login.microsoftonline.com/common", resource="https://graph.microsoft.com"',
    })
    .end("{}");
};

const wrongTimes = withLists((response, url) => {
  const attributes = { enabled: true, created: 1, updated: 4_000_000_000, exp: 1 };
  json(response, { value: [{ id: `${url.origin}/secrets/object`, attributes }] }, { Date: "Fri, 01 Jan 2100 00:00:00 GMT" });
});

const longWaits: Behaviour = (_request, response) => {
  response
    .writeHead(429, { "Retry-After": "86400", "Content-Type": "application/json" })
    .end('{"error":{"code":"Throttled","message":"later"}}');
};

/**
 * Vaults that accept requests and never answer, each named by several classes. Four vaults with eight classes each are as many classes as
 * the worker processes at the same time.
 */
async function hanging(world: HostileWorld, vaults: number, classes: number): Promise<Strike> {
  const tenant = await world.tenant();
  const names = Array.from({ length: vaults }, (_, index) => `${tenant.vault}-${index}`);
  for (const vault of names) {
    await world.emulator.createVault({ name: vault, tenantId: tenant.tenantId });
    await world.emulator.injectFault({ vault, kind: "slow", milliseconds: SILENT_MS, times: 1_000_000 });
  }
  for (const vault of names)
    for (const name of classNames(classes))
      await hostileClass(world, tenant, { name: `${name}-of-${vault.slice(-1)}`, vault, objects: ["object"] });
  const tunnels = (): number => world.proxy.log.filter(({ host }) => names.some((vault) => host.startsWith(`${vault}.`))).length;
  return {
    evidence: () => (tunnels() < 4 ? undefined : `${vaults * classes} classes of ${vaults} silent vaults, ${tunnels()} connections`),
    stop: async () => {
      await removeClasses(world, tenant);
      for (const vault of names) await world.emulator.clearFaults({ vault });
    },
  };
}

interface Foreigners {
  /** Each tenant has its own share of the worker's concurrency. */
  readonly tenants: number;
  /** Number of classes of each tenant. */
  readonly classes: number;
}

/** Classes of tenants that name the victim's vault, with credentials that are not valid there. */
async function foreignVault(
  world: HostileWorld,
  parameters: Readonly<Record<string, string>>,
  { tenants, classes }: Foreigners = { tenants: 1, classes: 20 },
): Promise<Strike> {
  const strikes: Strike[] = [];
  for (let index = 0; index < tenants; index++) {
    const tenant = await world.tenant();
    const { vault, tenantId } = world.victim.cell;
    for (const name of classNames(classes)) await hostileClass(world, tenant, { name, vault, tenantId, objects: ["object-0"], parameters });
    strikes.push(withStatusEvidence(world, tenant, classes));
  }
  return {
    evidence: async () => {
      const each = await Promise.all(strikes.map(async (strike) => strike.evidence()));
      return each.includes(undefined) ? undefined : each.join("; ");
    },
    stop: async () => {
      for (const strike of strikes) await strike.stop();
    },
  };
}

async function statusesOf({ plane }: HostileWorld, { namespace }: Tenant): Promise<number> {
  const { allStatuses } = await import("../../support/worker/sync-world.ts");
  return (await allStatuses(plane)).filter(({ metadata }) => metadata.namespace === namespace).length;
}

function withStatusEvidence(world: HostileWorld, tenant: Tenant, classes: number): Strike {
  return {
    evidence: async () => {
      const reported = await statusesOf(world, tenant);
      return reported === 0 ? undefined : `${classes} classes that name the victim's vault, ${reported} of them tried`;
    },
    stop: () => removeClasses(world, tenant),
  };
}

export const vaultAttacks: readonly Attack[] = [
  { name: "four silent vaults in one namespace", kind: "hanging vaults", isControl: true, start: (world) => hanging(world, 4, 8) },
  { name: "nine silent vaults in one namespace", kind: "hanging vaults", start: (world) => hanging(world, 9, 8) },
  {
    name: "the victim's vault named with a managed identity that is not there",
    kind: "somebody else's vault",
    isControl: true,
    // The victim's own successful requests close the previous version's breaker again, so that only a few attempts at a time would not hurt
    // it on a busy machine.
    start: (world) => foreignVault(world, { useVMManagedIdentity: "true" }, { tenants: 4, classes: 10 }),
  },
  {
    name: "the victim's vault named with an application that may not read it",
    kind: "somebody else's vault",
    start: (world) => foreignVault(world, {}),
  },
  { name: "a vault whose lists never end", kind: "lying vaults", start: (world) => lying(world, endlessPages) },
  { name: "a vault whose list is its own next page", kind: "lying vaults", start: (world) => lying(world, pageOfItself) },
  { name: "a vault whose next page is the metadata service", kind: "lying vaults", start: (world) => lying(world, elsewhere) },
  { name: "a vault whose answers unpack to gigabytes", kind: "lying vaults", isControl: true, start: (world) => lying(world, bomb()) },
  { name: "a vault that sends bytes without end", kind: "lying vaults", start: (world) => lying(world, floodOfBytes) },
  { name: "a vault that sends one byte a second", kind: "hanging vaults", start: (world) => lying(world, drip, 40) },
  { name: "a vault that cuts every connection off", kind: "lying vaults", start: (world) => lying(world, resets, 40) },
  { name: "a vault that redirects to the metadata service", kind: "lying vaults", start: (world) => lying(world, redirects) },
  { name: "a vault that asks for a token of another service", kind: "lying vaults", start: (world) => lying(world, foreignChallenge) },
  { name: "a vault whose times are of another century", kind: "lying vaults", start: (world) => lying(world, wrongTimes) },
  { name: "a vault that tells everybody to come back tomorrow", kind: "lying vaults", start: (world) => lying(world, longWaits) },
];
