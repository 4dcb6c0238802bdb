import { type ObjectFile, objectIdOf } from "../../../domain/content/object-file.ts";
import { makesFile } from "../../../domain/content/version-history.ts";
import type { VaultClient } from "../../../domain/ports/vault-client.ts";
import { VaultError } from "../../../domain/ports/vault-error.ts";
import type { VaultIdentity } from "../../../domain/ports/vault-identity.ts";
import type { ClassObject, ObjectType } from "../../../domain/provider-class/object-rules.ts";
import type { ProviderClass } from "../../../domain/read-class.ts";
import { rfc3339 } from "../../../domain/sync/stored-time.ts";
import type { ClassContext } from "../../shared/class-context.ts";
import { type ClassFinding, fineLeaf, found } from "./leaves.ts";
import { type Failure, findingOfFailure, type RefusedFetch } from "./refusals.ts";

export interface VaultReading {
  readonly findings: readonly ClassFinding[];
  /** Files from the vault; empty if the vault returned none. */
  readonly files: readonly ObjectFile[];
  /** Whether every object produced its files. */
  readonly isComplete: boolean;
  /** Host that this machine cannot reach. */
  readonly unreached?: "signIn" | "vault";
}

/** Checks token, permission, and objects with the worker's own code for fetching. Each object takes one transaction in the vault. */
export async function checkObjects(
  context: ClassContext,
  namespace: string,
  { address, objects }: Pick<ProviderClass, "address" | "objects">,
  identity: VaultIdentity,
): Promise<VaultReading> {
  const { azure, worker, signal } = context;
  if (azure === undefined || objects.length === 0) return { findings: [], files: [], isComplete: false };
  const client = azure.vaults.clientFor(address, identity, namespace);
  const render = { pki: worker.pki, ...context.install.settings.files };
  const { files, failures } = await worker.fetchObjects({ client, render }, objects, signal);
  const who =
    identity.kind === "managedIdentity"
      ? `the managed identity ${identity.clientId ?? "of the system"}`
      : `application ${identity.clientId}`;
  const signedIn = fineLeaf("token-ok", `${who} signs in to tenant ${address.tenantId}`);
  const refused = { identity, address };
  // Reports a failure of all objects once. If the vault judged a token, the identity has received one.
  const general = failures.map((failure) => findingOfFailure(failure, refused)).find(isGeneral);
  if (general !== undefined) return { findings: [...(AFTER_TOKEN.has(general.leaf) ? [signedIn] : []), general], files, isComplete: false };
  const findings = [signedIn];
  const isRefused = failures.some(({ reason }) => reason === "Forbidden");
  if (!isRefused) findings.push(fineLeaf("permission-ok", `the vault allows ${who} to read the class's objects`));
  for (const object of objects) {
    const failure = failures.find((candidate) => candidate.object === object);
    findings.push(
      failure === undefined ? madeFinding(object, files, context.clock.now()) : await failureFinding(failure, refused, client, signal),
    );
  }
  return { findings, files, isComplete: failures.length === 0 };
}

function isGeneral(finding: ClassFinding): boolean {
  return finding.step === "token" || (finding.step === "permission" && finding.leaf !== "permission-missing");
}

const AFTER_TOKEN: ReadonlySet<ClassFinding["leaf"]> = new Set([
  "vault-firewall",
  "vault-private",
  "vault-perimeter",
  "vault-throttles",
  "vault-api-version",
]);

async function failureFinding(failure: Failure, refused: RefusedFetch, client: VaultClient, signal: AbortSignal): Promise<ClassFinding> {
  const { object, reason } = failure;
  const other = reason === "ObjectNotFound" && object.version === undefined ? await otherType(client, object, signal) : undefined;
  if (other === undefined) return findingOfFailure(failure, refused);
  const message = `the vault has no ${object.type} ${object.name}, but it has a ${other} with that name`;
  return found("object-wrong-type", message, `Write objectType: ${other} for ${object.name}, or correct objectName.`);
}

function madeFinding(object: ClassObject, all: readonly ObjectFile[], now: number): ClassFinding {
  const files = all.filter(({ path }) => makesFile(object, path));
  const versions = [...new Set(files.map(({ version }) => version))].join(", ");
  return (
    files.map((file) => datedFinding(file, now)).find((dated) => dated !== undefined) ??
    fineLeaf("object-ok", `${objectIdOf(object)}${versions === "" ? "" : `, version ${versions}`}`)
  );
}

/** Reports a version that has expired or is not valid yet. The vault returns such versions, too. */
function datedFinding({ objectId, version, expires, notBefore }: ObjectFile, now: number): ClassFinding | undefined {
  if (expires !== undefined && expires <= now) {
    const message = `${objectId}, version ${version}, expired at ${rfc3339(expires)}; it is still synced`;
    return found("object-expired", message, `Set a new version of ${objectId} in the vault.`);
  }
  if (notBefore === undefined || notBefore <= now) return undefined;
  const message = `${objectId}, version ${version}, is not valid before ${rfc3339(notBefore)}; it is still synced`;
  return found("object-not-yet-valid", message, `Change the activation date of ${objectId}, or name a version that is valid.`);
}

const TYPES: readonly ObjectType[] = ["secret", "key", "cert"];

/** Returns the other type of an object with this name, if the identity may read it. A certificate has a secret and a key of its name. */
async function otherType(client: VaultClient, { name, type }: ClassObject, signal: AbortSignal): Promise<ObjectType | undefined> {
  const get = {
    secret: () => client.getSecret(name, undefined, signal),
    key: () => client.getKey(name, undefined, signal),
    cert: () => client.getCertificate(name, undefined, signal),
  };
  for (const other of TYPES.filter((candidate) => candidate !== type)) {
    try {
      await get[other]();
      return other;
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
    }
  }
  return undefined;
}
