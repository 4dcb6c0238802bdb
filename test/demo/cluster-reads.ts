import type { World } from "./world.ts";

/** The fields of objects that the demo checks, in kubectl's JSON. */
export interface Seen {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: PodSpec;
  readonly data?: Readonly<Record<string, string>>;
}

export interface PodSpec {
  readonly volumes?: readonly { readonly name: string; readonly csi?: unknown }[];
  readonly containers?: readonly { readonly name: string; readonly volumeMounts?: readonly { readonly name: string }[] }[];
}

export async function get(world: World, kind: string, name: string): Promise<Seen> {
  return JSON.parse(await world.kubectl(["get", kind, name, "-o", "json"])) as Seen; // JSON that kubectl prints.
}

export async function isGone(world: World, kind: string, name: string): Promise<boolean> {
  return (await world.kubectl(["get", kind, name, "--ignore-not-found", "-o", "name"])).trim() === "";
}

/** Returns the only value of the synced Secret. */
export async function mirroredValue(world: World): Promise<string> {
  const { data } = await get(world, "secret", world.names.mirroredSecret);
  return Buffer.from(data?.["password"] ?? "", "base64").toString("utf8");
}

/** Number of requests for the document's secret that the vault has answered for our service principal so far. */
export async function vaultReads(world: World): Promise<number> {
  const requests = await world.emulator.requests();
  const wanted = requests.filter(
    ({ host, path, method, status, identity }) =>
      host === `${world.names.vault}.vault.azure.net` &&
      method === "GET" &&
      path.startsWith("/secrets/DemoSecret") &&
      status === 200 &&
      identity === world.names.appId,
  );
  return wanted.length;
}

export class DemoFailure extends Error {}

export function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new DemoFailure(otherwise);
}
