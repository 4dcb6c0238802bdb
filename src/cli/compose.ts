import { RESOURCES } from "../domain/kubernetes.ts";
import type { ReachHost } from "../domain/reach.ts";
import { systemClock } from "../runtime/clock.ts";
import { type AzureSurroundings, azureSurroundings } from "../runtime/config.ts";
import { runProgram } from "./program.ts";
import { type ClusterAccess, type CommandContext, CommandFailure } from "./shared/command.ts";
import { createInputs } from "./shared/inputs.ts";
import { createProgress, NO_PROGRESS } from "./shared/terminal.ts";
import type { Cluster } from "./shared/viewer.ts";
import type { AzureAccess, WorkerCode } from "./shared/worker-code.ts";

/** What differs between the ways in which the command line is shipped: beside its files, or as a single one. */
type Shipped = Pick<CommandContext, "version" | "program" | "shippedCrds">;

/** The command line, from its arguments to its exit code. */
export async function runCli(argv: readonly string[], shipped: Shipped): Promise<number> {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort(new CommandFailure("stopped")));
  const { stderr } = process;
  const progress = stderr.isTTY ? createProgress({ write: (text) => stderr.write(text), columns: stderr.columns }) : NO_PROGRESS;
  const context: CommandContext = {
    ...shipped,
    clock: systemClock,
    // Node's own answer: honours NO_COLOR, FORCE_COLOR and TERM.
    hasColour: process.stdout.isTTY && process.stdout.hasColors(),
    inputs: createInputs({ proxy: () => surroundings().proxy, signal: stop.signal }),
    openCluster: (access) => openCluster(access, shipped.version),
    openAzure,
    openReach,
    workerCode,
    tellProgress: progress.tell,
    signal: stop.signal,
  };
  const { code, output, notes } = await runProgram(argv, context).finally(progress.end);
  await write(process.stderr, notes.map((note) => `${note}\n`).join(""));
  await write(process.stdout, output);
  return code;
}

/** The Kubernetes library is half of the start-up time: commands that look at files alone do without it. */
export async function openCluster(access: ClusterAccess, version: string): Promise<Cluster> {
  const [{ createKubeClient }, { loadKubeConfig }] = await Promise.all([import("../kube/client.ts"), import("../kube/config.ts")]);
  const config = named(() => loadKubeConfig(access));
  const client = { userAgent: `keyvault-injector-cli/${version}` };
  const kube = createKubeClient(config, client);
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace;
  return {
    kube,
    namespace: namespace === undefined || namespace === "" ? "default" : namespace,
    actAs: async (user) => {
      const acting = loadKubeConfig(access);
      acting.users = acting.users.map((known) => ({ ...known, impersonateUser: user }));
      return { kube: createKubeClient(acting, client), close: () => acting.close() };
    },
    close: () => config.close(),
  };
}

/** The SDKs cost tens of megabytes: loaded by those that ask a vault. */
export async function openAzure(): Promise<AzureAccess> {
  const { proxy, isInCluster } = surroundings();
  const [{ createVaultClients }, reach] = await Promise.all([import("../azure/vault-clients.ts"), openReach()]);
  return { vaults: createVaultClients({ proxy }), reach, isInCluster };
}

export async function openReach(): Promise<ReachHost> {
  const { proxy } = surroundings();
  const { createReachHost } = await import("../tls/reach-host.ts");
  return createReachHost({ proxy });
}

function surroundings(): AzureSurroundings {
  const read = azureSurroundings();
  if (!read.ok) throw new CommandFailure(read.error);
  return read.value;
}

export async function workerCode(): Promise<WorkerCode> {
  const [{ pki }, fetching, content, keys, store, handing, guarding, clouds, records, snapshots] = await Promise.all([
    import("../pki/pki.ts"),
    import("../sync/vault/fetch-objects.ts"),
    import("../sync/fingerprints.ts"),
    import("../sync/hmac-key.ts"),
    import("../sync/secrets/secret-store.ts"),
    import("../sync/healing/hand-over.ts"),
    import("../sync/guardrails.ts"),
    import("../sync/vault/cloud-files.ts"),
    import("../sync/healing/stored-record.ts"),
    import("../sync/healing/snapshots.ts"),
  ]);
  return {
    pki,
    hmacKeySecret: keys.HMAC_KEY_SECRET,
    hmacKeyIn: keys.keyIn,
    fetchObjects: fetching.fetchObjects,
    observe: (object, hmacKey) => store.observe(object, content.createFingerprints(hmacKey.bytes)),
    snapshotIn: (revision, hmacKey) =>
      records.recordIn(revision, {
        kind: snapshots.SNAPSHOT,
        fingerprints: content.createFingerprints(hmacKey.bytes, hmacKey.formerUntil),
      }),
    handOver: async (kube, provider, managedFields, signal) => {
      await handing.handOver(kube, { resource: RESOURCES.secretProviderClasses, object: provider, managedFields }, signal);
    },
    cloudFileReader: clouds.cloudFileReader,
    tryGuardrails: (kube, namespace, signal) => guarding.tryGuardrails({ kube, namespace, isBlind: false }, signal),
  };
}

/** What is wrong with a kubeconfig is the user's to know. */
function named<T>(load: () => T): T {
  try {
    return load();
  } catch (error) {
    throw new CommandFailure(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** Resolves when the text is out, or nobody reads it any more (`| head`). */
function write(stream: NodeJS.WriteStream, what: string): Promise<void> {
  if (what === "") return Promise.resolve();
  return new Promise((resolve) => {
    stream.once("error", () => resolve());
    stream.write(what, () => resolve());
  });
}
