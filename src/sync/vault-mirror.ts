import { CLASS_ANNOTATIONS } from "../domain/annotations.ts";
import { type ContentProblem, type ObjectFile, objectIdOf, renderSecret } from "../domain/content/render.ts";
import { type ObjectRef, RESOURCES, type Secret, type SecretObject, type SecretProviderClass } from "../domain/kubernetes.ts";
import { type KubeClient, type Retry, type VaultClient, type VaultClients, VaultError, type VaultIdentity } from "../domain/ports.ts";
import { trimSpace } from "../domain/provider-class/go-text.ts";
import { type ProviderClass, parseProviderClass } from "../domain/provider-class/parse.ts";
import { describeProblem } from "../domain/provider-class/problem.ts";
import { readServicePrincipal } from "../domain/provider-class/service-principal.ts";
import type { SupportedObject } from "../domain/provider-class/this-version.ts";
import type { SyncReason } from "../domain/reasons.ts";
import { failed, ok, type Result } from "../domain/result.ts";
import { buildSecrets } from "../domain/secret-objects/build.ts";
import type { SecretOutcome } from "../domain/secret-objects/desired-secret.ts";
import { credentialsSecretName } from "../domain/sync/credentials-secret.ts";
import { vaultReason } from "../domain/sync/vault-reason.ts";
import type { Mirror, MirroredSecret } from "./mirror.ts";

export interface VaultMirrorOptions {
  readonly kube: KubeClient;
  readonly vaults: VaultClients;
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

/** Objects of one class that are asked for at a time: a vault shares its budget among all classes. */
const AT_A_TIME = 4;

/** Asks the vault of a class for its objects and says what its Secrets should be. */
export async function mirrorFromVault(options: VaultMirrorOptions, provider: SecretProviderClass, signal: AbortSignal): Promise<Mirror> {
  const owner = `${provider.metadata.namespace ?? ""}/${provider.metadata.name}`;
  const parsed = parseProviderClass(provider.spec, { owner, cloudName: options.cloudName });
  if (parsed.kind === "notOurs") return refused("InvalidClass", `provider ${parsed.provider} is not ours`, { kind: "never" });
  if (parsed.kind === "invalid") return refused(parsed.problem.reason, describeProblem(parsed.problem), { kind: "never" });
  const identity = await identityOf(options, provider, signal);
  if (!identity.ok) return identity.error;
  const client = options.vaults.clientFor(parsed.providerClass.address, identity.value);
  const fetched = await fetchObjects(client, parsed.providerClass, signal);
  const outcomes = buildSecrets(provider.spec?.secretObjects ?? [], fetched.files);
  return answer(provider, outcomes, fetched.failures);
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

interface ObjectFailure {
  readonly path: string;
  readonly reason: SyncReason;
  readonly message: string;
  readonly retry: Retry;
}

interface Fetched {
  readonly files: readonly ObjectFile[];
  /** By the file name that a secretObject would refer to. */
  readonly failures: ReadonlyMap<string, ObjectFailure>;
}

async function fetchObjects(client: VaultClient, { objects }: ProviderClass, signal: AbortSignal): Promise<Fetched> {
  const files: ObjectFile[] = [];
  const failures = new Map<string, ObjectFailure>();
  for (let index = 0; index < objects.length; index += AT_A_TIME) {
    const results = await Promise.all(objects.slice(index, index + AT_A_TIME).map((object) => fetchObject(client, object, signal)));
    for (const result of results) {
      if (result.ok) files.push(...result.value);
      else failures.set(result.error.path, result.error);
    }
  }
  return { files, failures };
}

async function fetchObject(
  client: VaultClient,
  object: SupportedObject,
  signal: AbortSignal,
): Promise<Result<readonly ObjectFile[], ObjectFailure>> {
  try {
    const secret = await client.getSecret(object.name, object.version === "" ? undefined : object.version, signal);
    const rendered = renderSecret(object, secret);
    return rendered.ok ? rendered : failed(contentFailure(object, rendered.error));
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return failed({ path: object.path, reason: vaultReason(error.code), message: error.message, retry: error.retry });
  }
}

function contentFailure(object: SupportedObject, { reason, message, hint }: ContentProblem): ObjectFailure {
  return { path: object.path, reason, message: `${message} (${objectIdOf(object)}: ${hint})`, retry: { kind: "never" } };
}

/** Where no object came, the one reason is the class's; else each Secret that needs a missing object says so itself. */
function answer(provider: SecretProviderClass, outcomes: readonly SecretOutcome[], failures: ReadonlyMap<string, ObjectFailure>): Mirror {
  const secrets = outcomes.map((outcome, index) => mirrored(outcome, missingObject(provider.spec?.secretObjects?.[index], failures)));
  const [first] = failures.values();
  const isAnyDesired = secrets.some(({ kind }) => kind === "desired");
  if (first !== undefined && !isAnyDesired) return refused(first.reason, first.message, first.retry);
  return { kind: "answered", isFresh: first === undefined, retry: first?.retry ?? { kind: "backoff" }, secrets };
}

/** The first object that the secretObject needs and the vault did not give. */
function missingObject(secretObject: SecretObject | undefined, failures: ReadonlyMap<string, ObjectFailure>): ObjectFailure | undefined {
  const paths = (secretObject?.data ?? []).map(({ objectName }) => trimSpace(objectName ?? ""));
  const path = paths.find((candidate) => failures.has(candidate));
  return path === undefined ? undefined : failures.get(path);
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
