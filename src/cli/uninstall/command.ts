import { INSTALL_ANNOTATIONS } from "../../domain/annotations.ts";
import { NO_WORKER } from "../../domain/healing/uninstall-marker.ts";
import { isJsonObject } from "../../domain/json-object.ts";
import { apiVersionOf, type KubeObject, type ObjectMeta, type ObjectRef, RESOURCES, type Resource } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { installAbsence } from "../shared/absence.ts";
import {
  answered,
  type Command,
  type CommandContext,
  CommandFailure,
  type CommandInput,
  type CommandResult,
  withCluster,
} from "../shared/command.ts";
import { INJECTION_POLICY } from "../shared/injection-mode.ts";
import { FINAL_CHECK, installNamespace, MORE_RESOURCES } from "../shared/resources.ts";
import { createViewer, refusalText } from "../shared/viewer.ts";
import { nextSteps, type Overlay } from "./next-steps.ts";

export const uninstall: Command = {
  name: "uninstall",
  summary: "Prepare an install for removal: stop healing, and stop denying pods that were not injected.",
  usage: "--prepare|--undo",
  details: [
    "--prepare marks the install's Namespace, so that the worker stops healing. It also removes the binding of the final check, the",
    "policy that rejects opted-in pods without their volume. --undo reverts both changes. You can safely repeat both commands. They",
    "remove nothing else: the output lists the objects that remain, and the commands to run next. With --dry-run, the API server checks",
    "the changes without storing them.",
    "",
    "Exit code: 0; 2 if the command failed.",
  ],
  examples: [{ result: "Before you remove the install", typed: "keyvault-injector uninstall --prepare" }],
  options: ["prepare", "undo", "dry-run", "install-namespace", "context", "kubeconfig"],
  arguments: 0,
  run: runUninstall,
};

async function runUninstall(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const { options } = input;
  const [isPrepared, isUndone] = [options.prepare !== undefined, options.undo !== undefined];
  if (isPrepared && isUndone) throw new CommandFailure("--prepare and --undo are opposites; specify one of them");
  if (isPrepared === isUndone) throw new CommandFailure("specify --prepare, or --undo to revert an earlier --prepare");
  return withCluster(input, context, async ({ kube }) => {
    const isDryRun = options["dry-run"] !== undefined;
    const install: InstallToRemove = { kube, namespace: installNamespace(options), isDryRun };
    const lines = await (isPrepared ? prepare : undo)(install, context.signal);
    return answered(`${[...(isDryRun ? DRY_RUN : []), ...lines].join("\n")}\n`);
  });
}

const DRY_RUN = ["Nothing was changed (--dry-run). Without --dry-run, the command prints:", ""];

interface InstallToRemove {
  readonly kube: KubeClient;
  readonly namespace: string;
  readonly isDryRun: boolean;
}

const FIELD_MANAGER = "keyvault-injector-uninstall";
const writing = ({ isDryRun }: InstallToRemove) => ({ fieldManager: FIELD_MANAGER, dryRun: isDryRun });
const WORKER = "keyvault-injector-sync";
const BINDINGS = RESOURCES.validatingAdmissionPolicyBindings;

/** Resolves with the steps that were taken, for the terminal. Sets the mark first, so that the worker does not undo the next step. */
async function prepare(install: InstallToRemove, signal: AbortSignal): Promise<readonly string[]> {
  const namespace = await ownNamespace(install, signal);
  const worker = await readOptional(
    install,
    { resource: MORE_RESOURCES.deployments, ref: { namespace: install.namespace, name: WORKER } },
    signal,
  );
  const binding = await readOptional(install, { resource: BINDINGS, ref: { name: FINAL_CHECK } }, signal);
  const overlay = await overlayOf(install, signal);
  const savedBefore = namespace.metadata.annotations?.[INSTALL_ANNOTATIONS.finalCheck];
  const saved =
    binding === undefined || (savedBefore !== undefined && isHalfRestored(binding)) ? savedBefore : JSON.stringify(kept(binding));
  await annotate(install, { uninstalling: worker?.metadata.uid ?? NO_WORKER, finalCheck: saved }, signal);
  const { uid } = binding?.metadata ?? {};
  if (uid !== undefined)
    await tried(`delete ${BINDINGS.plural} ${FINAL_CHECK}`, () =>
      install.kube.delete(BINDINGS, { name: FINAL_CHECK }, { uid, dryRun: install.isDryRun }, signal),
    );
  return [
    `Namespace ${install.namespace} is marked: the worker no longer heals anything.`,
    binding === undefined
      ? `The policy binding ${FINAL_CHECK} does not exist: no pod is rejected.`
      : `The policy binding ${FINAL_CHECK} is removed: pods that were not injected are no longer rejected.`,
    "",
    ...nextSteps({ worker, namespace: install.namespace, overlay }),
    "",
    "To keep the install instead: keyvault-injector uninstall --undo",
  ];
}

/** Returns the overlay of the injection mode. An account that may not read it, such as that of the chart's Job, can still uninstall. */
async function overlayOf(install: InstallToRemove, signal: AbortSignal): Promise<Overlay> {
  const asked = { resource: MORE_RESOURCES.mutatingPolicies, ref: { name: INJECTION_POLICY } };
  try {
    return { name: (await readOptional(install, asked, signal)) === undefined ? "default" : "policy", unread: undefined };
  } catch (error) {
    const isForbidden = error instanceof CommandFailure && error.cause instanceof KubeError && error.cause.code === "Forbidden";
    if (!isForbidden) throw error;
    return { name: "default", unread: error.message };
  }
}

/** Removes the mark last: until then, the worker heals nothing. */
async function undo(install: InstallToRemove, signal: AbortSignal): Promise<readonly string[]> {
  const namespace = await ownNamespace(install, signal);
  const saved = namespace.metadata.annotations?.[INSTALL_ANNOTATIONS.finalCheck];
  const binding = await readOptional(install, { resource: BINDINGS, ref: { name: FINAL_CHECK } }, signal);
  const returned = saved !== undefined && (binding === undefined || isHalfRestored(binding));
  if (returned) await restore(install, { saved, binding }, signal);
  await annotate(install, { uninstalling: null, finalCheck: null }, signal);
  return [
    returned ? `The policy binding ${FINAL_CHECK} exists again.` : bindingLine(binding !== undefined),
    `Namespace ${install.namespace} is no longer marked: the worker heals again.`,
  ];
}

function bindingLine(isThere: boolean): string {
  return isThere
    ? `The policy binding ${FINAL_CHECK} exists.`
    : `The policy binding ${FINAL_CHECK} is missing: apply manifests/policies again.`;
}

async function ownNamespace(install: InstallToRemove, signal: AbortSignal): Promise<KubeObject> {
  const found = await readOptional(install, { resource: RESOURCES.namespaces, ref: { name: install.namespace } }, signal);
  if (found !== undefined) return found;
  throw new CommandFailure(await installAbsence(createViewer(install, signal), install.namespace));
}

async function readOptional(
  { kube }: InstallToRemove,
  { resource, ref }: { readonly resource: Resource; readonly ref: ObjectRef },
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const found = await tried(`get ${resource.plural} ${[ref.namespace, ref.name].filter(Boolean).join("/")}`, () =>
    kube.read<KubeObject>(resource, ref, signal),
  );
  return found.kind === "found" ? found.object : undefined;
}

interface Marks {
  readonly uninstalling: string | null;
  /** The saved binding. Undefined: keeps what is saved, also by another run meanwhile. */
  readonly finalCheck: string | null | undefined;
}

async function annotate(install: InstallToRemove, { uninstalling, finalCheck }: Marks, signal: AbortSignal): Promise<void> {
  const { kube, namespace } = install;
  const saved = finalCheck === undefined ? {} : { [INSTALL_ANNOTATIONS.finalCheck]: finalCheck };
  const annotations = { [INSTALL_ANNOTATIONS.uninstalling]: uninstalling, ...saved };
  await tried(`patch namespaces ${namespace}`, () =>
    kube.mergePatch(RESOURCES.namespaces, { name: namespace }, { metadata: { annotations } }, writing(install), signal),
  );
}

type SavedBinding = Pick<ObjectMeta, "labels" | "annotations" | "managedFields"> & { readonly spec?: unknown };

/** Returns what recreates the binding. Includes the owners of its fields, so that the installer's next apply changes nothing. */
function kept(binding: KubeObject): object {
  const { labels, annotations, managedFields } = binding.metadata;
  return { labels, annotations, managedFields, spec: "spec" in binding ? binding.spec : undefined };
}

/** Whether an --undo created the binding, and did not go on to return its fields to their owners. */
function isHalfRestored({ metadata: { managedFields = [] } }: KubeObject): boolean {
  return managedFields.length > 0 && managedFields.every(({ manager }) => manager === FIELD_MANAGER);
}

interface LostBinding {
  readonly saved: string;
  /** The binding, if it needs only its owners. */
  readonly binding: KubeObject | undefined;
}

async function restore(install: InstallToRemove, { saved, binding }: LostBinding, signal: AbortSignal): Promise<void> {
  const { labels, annotations, managedFields, spec } = parsed(saved);
  const metadata = { name: FINAL_CHECK, ...(labels && { labels }), ...(annotations && { annotations }) };
  const body: KubeObject & { readonly spec: unknown } = { apiVersion: apiVersionOf(BINDINGS), kind: BINDINGS.kind, metadata, spec };
  const create = () => install.kube.create(BINDINGS, body, writing(install), signal);
  const made = binding ?? (await tried(`create ${BINDINGS.plural} ${FINAL_CHECK}`, create));
  if (managedFields === undefined || install.isDryRun) return;
  const patch = { metadata: { uid: made.metadata.uid, managedFields } };
  await tried(`patch ${BINDINGS.plural} ${FINAL_CHECK}`, () =>
    install.kube.mergePatch(BINDINGS, { name: FINAL_CHECK }, patch, writing(install), signal),
  );
}

function parsed(saved: string): SavedBinding {
  try {
    const value: unknown = JSON.parse(saved);
    if (isJsonObject(value)) return value; // `kept` wrote the value; the API server validates each field.
  } catch {
    // The error below reports this, as it does other text that `kept` did not write.
  }
  throw new CommandFailure(
    `the annotation ${INSTALL_ANNOTATIONS.finalCheck} cannot be read; remove it, and apply manifests/policies again`,
  );
}

async function tried<T>(what: string, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    throw new CommandFailure(refusalText(what, error), { cause: error });
  }
}
