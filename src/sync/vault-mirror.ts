import { CLASS_ANNOTATIONS } from "../domain/annotations.ts";
import type { RenderOptions } from "../domain/content/render.ts";
import { type ObjectRef, RESOURCES, type Secret, type SecretObject, type SecretProviderClass } from "../domain/kubernetes.ts";
import type { KubeClient, Retry, VaultClients, VaultIdentity } from "../domain/ports.ts";
import { trimSpace } from "../domain/provider-class/go-text.ts";
import { parseProviderClass } from "../domain/provider-class/parse.ts";
import { describeProblem } from "../domain/provider-class/problem.ts";
import { readServicePrincipal } from "../domain/provider-class/service-principal.ts";
import type { SyncReason } from "../domain/reasons.ts";
import { failed, ok, type Result } from "../domain/result.ts";
import { buildSecrets } from "../domain/secret-objects/build.ts";
import type { SecretOutcome } from "../domain/secret-objects/desired-secret.ts";
import { credentialsSecretName } from "../domain/sync/credentials-secret.ts";
import { failureOfFile, fetchObjects, type ObjectFailure } from "./fetch-objects.ts";
import type { Mirror, MirroredSecret } from "./mirror.ts";

export interface VaultMirrorOptions {
  readonly kube: KubeClient;
  readonly vaults: VaultClients;
  readonly render: RenderOptions;
  /** `--credentials-secret-names` */
  readonly credentialsSecretNames: readonly string[];
  /** `--cloud-name` */
  readonly cloudName: string;
  /** Names of credential Secrets that the pods of a class use. */
  readonly consumerNames: (classKey: string) => readonly string[];
}

type Refusal = Extract<Mirror, { readonly kind: "refused" }>;

/** How the driver's text for an absent file starts. */
const MISSING_FILE = "file matching objectName";

/** Asks the vault of a class for its objects and says what its Secrets should be. */
export async function mirrorFromVault(options: VaultMirrorOptions, provider: SecretProviderClass, signal: AbortSignal): Promise<Mirror> {
  const owner = `${provider.metadata.namespace ?? ""}/${provider.metadata.name}`;
  const parsed = parseProviderClass(provider.spec, { owner, cloudName: options.cloudName });
  if (parsed.kind === "notOurs") return refused("InvalidClass", `provider ${parsed.provider} is not ours`, { kind: "never" });
  if (parsed.kind === "invalid") return refused(parsed.problem.reason, describeProblem(parsed.problem), { kind: "never" });
  const identity = await identityOf(options, provider, signal);
  if (!identity.ok) return identity.error;
  const client = options.vaults.clientFor(parsed.providerClass.address, identity.value);
  const fetched = await fetchObjects({ client, render: options.render }, parsed.providerClass.objects, signal);
  const outcomes = buildSecrets(provider.spec?.secretObjects ?? [], fetched.files, options.render.pki);
  const mirror = answer(provider, outcomes, fetched.failures);
  const warnings = parsed.providerClass.warnings.map(({ field, message }) => `${field}: ${message}`);
  return mirror.kind === "answered" ? { ...mirror, warnings } : mirror;
}

function refused(reason: SyncReason, message: string, retry: Retry): Refusal {
  return { kind: "refused", reason, message, retry };
}

async function identityOf(
  options: VaultMirrorOptions,
  provider: SecretProviderClass,
  signal: AbortSignal,
): Promise<Result<VaultIdentity, Refusal>> {
  const { namespace = "", name: className } = provider.metadata;
  const consumerNames = options.consumerNames(`${namespace}/${className}`);
  const name = credentialsSecretName({ provider, consumerNames, allowedNames: options.credentialsSecretNames });
  if (!name.ok) return failed(refused("CredentialsMissing", name.error, { kind: "backoff" }));
  const ref: ObjectRef = { namespace, name: name.value };
  const found = await options.kube.read<Secret>(RESOURCES.secrets, ref, signal);
  if (found.kind !== "found") {
    const hint = `create it with the keys clientid and clientsecret, or name another one in the annotation ${CLASS_ANNOTATIONS.credentialsSecret} of the class`;
    return failed(
      refused("CredentialsMissing", `there is no Secret ${name.value} in the namespace ${namespace}; ${hint}`, { kind: "backoff" }),
    );
  }
  const principal = readServicePrincipal(found.object.data);
  if (principal.ok) return ok(principal.value);
  const { reason, message, field, hint } = principal.error;
  return failed(refused(reason, `${message} (Secret ${name.value}, ${field}: ${hint})`, { kind: "backoff" }));
}

/** Where no object came, the one reason is the class's; else each Secret that needs a missing object says so itself. */
function answer(provider: SecretProviderClass, outcomes: readonly SecretOutcome[], failures: readonly ObjectFailure[]): Mirror {
  const secrets = outcomes.map((outcome, index) => mirrored(outcome, missingObject(provider.spec?.secretObjects?.[index], failures)));
  const [first] = failures;
  const isAnyDesired = secrets.some(({ kind }) => kind === "desired");
  if (first !== undefined && !isAnyDesired) return refused(first.reason, first.message, first.retry);
  return { kind: "answered", isFresh: first === undefined, retry: first?.retry ?? { kind: "backoff" }, secrets, warnings: [] };
}

/** The first object that the secretObject needs and the vault did not give. */
function missingObject(secretObject: SecretObject | undefined, failures: readonly ObjectFailure[]): ObjectFailure | undefined {
  const paths = (secretObject?.data ?? []).map(({ objectName }) => trimSpace(objectName ?? ""));
  return paths.map((path) => failureOfFile(failures, path)).find((failure) => failure !== undefined);
}

function mirrored(outcome: SecretOutcome, cause: ObjectFailure | undefined): MirroredSecret {
  if (outcome.kind === "refused") {
    const { name, problem } = outcome;
    // A file that is absent because the vault refused it: the refusal is the reason, not the absence.
    if (cause !== undefined && problem.message.startsWith(MISSING_FILE))
      return { kind: "failed", name, reason: cause.reason, message: cause.message };
    return { kind: "failed", name, reason: problem.reason, message: `${problem.message} (${problem.field}: ${problem.hint})` };
  }
  const { secret } = outcome;
  const keys = [...secret.sources].map(([key, file]) => ({
    key,
    object: file.objectId,
    version: file.version,
    ...(file.updated === undefined ? {} : { updated: timeOf(file.updated) }),
    ...(file.expires === undefined ? {} : { expires: timeOf(file.expires) }),
  }));
  return { kind: "desired", secret, keys };
}

function timeOf(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
