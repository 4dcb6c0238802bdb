/** The webhook's copies, the changes of a platform to our webhooks, and the limits of a second install. */

import { CONFIGURATIONS, ENFORCER } from "../world/enforcer.ts";
import { SECOND_USER, type World } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";
import { REST_MS } from "./rest.ts";

const CLASSES = "secretproviderclasses.secrets-store.csi.x-k8s.io";
const PREFIX = "keyvault-injector.dev/";

interface ProviderClass {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec?: {
    readonly secretObjects?: readonly { readonly secretName?: string; readonly data?: readonly { readonly key?: string }[] }[];
  };
}

interface Namespace {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
}

/** Secrets and their keys, on which the webhook's decisions about pods depend. */
function secretsText({ spec }: Pick<ProviderClass, "spec">): string {
  return JSON.stringify((spec?.secretObjects ?? []).map(({ secretName, data }) => [secretName, (data ?? []).map(({ key }) => key)]));
}

function ownText(annotations: Readonly<Record<string, string>> = {}): string {
  const own = Object.entries(annotations).filter(([key]) => key.startsWith(PREFIX));
  return own
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(" ");
}

const everWritten = new WeakMap<World, Set<string>>();

function wrongClasses({ cluster, copies }: World, known: Iterable<string>): readonly string[] {
  const live = new Map(
    (cluster.server.objects(CLASSES) as unknown as readonly ProviderClass[]).map((object) => [
      `${object.metadata.namespace}/${object.metadata.name}`,
      object,
    ]),
  );
  return [...new Set([...known, ...live.keys()])].flatMap((key) => {
    const [namespace = "", name = ""] = key.split("/");
    const object = live.get(key);
    const copy = copies.classes?.get({ namespace, name }) as ProviderClass | undefined;
    if (object === undefined) return copy === undefined ? [] : [`the webhook still has the class ${key}, which is gone`];
    if (copy === undefined) return [`the webhook lacks the class ${key}`];
    return secretsText(copy) === secretsText(object)
      ? []
      : [`the webhook has ${key} with ${secretsText(copy)}, which is ${secretsText(object)}`];
  });
}

function wrongNamespaces({ cluster, copies }: World): readonly string[] {
  return (cluster.server.objects("namespaces") as unknown as readonly Namespace[]).flatMap(({ metadata }) => {
    const copy = copies.namespaces?.get({ name: metadata.name })?.metadata.annotations;
    const [has, is] = [ownText(copy), ownText(metadata.annotations)];
    return copy !== undefined && has === is ? [] : [`the webhook has the Namespace ${metadata.name} with ${has}, which is ${is}`];
  });
}

export const copiesAreCurrent: Invariant = {
  name: "at rest the webhook's copies are what the API server has",
  watch: (world) => {
    const known = new Set<string>();
    everWritten.set(world, known);
    world.onWrite(({ resource, namespace = "", name, isDryRun }) => {
      if (resource === CLASSES && !isDryRun) known.add(`${namespace}/${name}`);
    });
  },
  atRest: (world) => [...wrongClasses(world, everWritten.get(world) ?? []), ...wrongNamespaces(world)],
};

export const enforcedStays: Invariant = {
  name: "what a platform adds to our webhooks is left to it",
  watch: (world) => {
    world.onWrite(({ user, resource, isDryRun }) => {
      if (resource !== CONFIGURATIONS || isDryRun) return;
      if (user === ENFORCER) lastEnforced.set(world, world.scheduler.now);
    });
  },
  atRest: (world) => {
    if (world.enforcer === undefined) return [];
    const missing = world.enforcer.missing().map((name) => `the webhook ${name} lacks what the platform adds`);
    const isFought = (lastEnforced.get(world) ?? 0) > world.scheduler.now - REST_MS;
    return isFought ? [...missing, "the platform still adds what the worker takes away"] : missing;
  },
};

const lastEnforced = new WeakMap<World, number>();

export const secondDoesNothing: Invariant = {
  name: "a worker of a second install writes nothing",
  watch: (world, violated) => {
    world.onWrite(({ user, verb, resource, namespace = "", name, isDryRun }) => {
      if (user === SECOND_USER && !isDryRun) violated(`the second install's ${verb} of ${resource} ${namespace}/${name}`);
    });
  },
};
