import type { ObjectFile } from "../../../domain/content/object-file.ts";
import { objectIdOf } from "../../../domain/content/object-file.ts";
import { makesFile } from "../../../domain/content/version-history.ts";
import type { VaultAddress, VaultClient } from "../../../domain/ports/vault-client.ts";
import { VaultError } from "../../../domain/ports/vault-error.ts";
import type { VaultIdentity } from "../../../domain/ports/vault-identity.ts";
import type { ClassObject, ObjectType } from "../../../domain/provider-class/object-rules.ts";
import { rfc3339 } from "../../../domain/sync/class-status.ts";
import type { ClassContext } from "../../shared/class-context.ts";
import type { WorkerCode } from "../../shared/worker-code.ts";
import { type ClassFinding, fineLeaf, found } from "./leaves.ts";
import { type Refused, refusalOf } from "./refusals.ts";

export type FetchedObjects = Awaited<ReturnType<WorkerCode["fetchObjects"]>>;

export interface VaultLook {
  readonly findings: readonly ClassFinding[];
  /** What the vault gave; empty where it was not to be had. */
  readonly files: readonly ObjectFile[];
  /** Every object gave its files. */
  readonly isComplete: boolean;
}

interface VaultQuestion {
  /** Of the class. */
  readonly namespace: string;
  readonly address: VaultAddress;
  readonly identity: VaultIdentity;
  readonly objects: readonly ClassObject[];
}

/** Token, permission and objects, by the worker's own way to fetch them. Each object is one transaction of the vault. */
export async function checkObjects(context: ClassContext, question: VaultQuestion): Promise<VaultLook> {
  const { azure, worker, signal } = context;
  const { namespace, address, identity, objects } = question;
  if (azure === undefined || objects.length === 0) return { findings: [], files: [], isComplete: false };
  const client = azure.vaults.clientFor(address, identity, namespace);
  const render = { pki: worker.pki, ...context.install.settings.files };
  const fetched = await worker.fetchObjects({ client, render }, objects, signal);
  const findings: ClassFinding[] = [];
  const refused = { identity, address };
  // What holds for every object is told once.
  const general = fetched.failures.map((failure) => refusalOf(failure, refused)).find(isGeneral);
  if (general !== undefined) {
    findings.push(...precedingSteps(general, refused), general);
    return { findings, files: fetched.files, isComplete: false };
  }
  findings.push(fineLeaf("token-ok", `${whoOf(identity)} signs in to tenant ${address.tenantId}`));
  const isRefused = fetched.failures.some(({ reason }) => reason === "Forbidden");
  if (!isRefused) findings.push(fineLeaf("permission-ok", `the vault lets ${whoOf(identity)} read the class's objects`));
  for (const object of objects) findings.push(...(await objectFindings(context, { client, object, fetched, refused })));
  return { findings, files: fetched.files, isComplete: fetched.failures.length === 0 };
}

export function whoOf(identity: VaultIdentity): string {
  if (identity.kind === "managedIdentity") return `the managed identity ${identity.clientId ?? "of the system"}`;
  return `application ${identity.clientId}`;
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

/** A vault that has judged a token shows that there was one. */
function precedingSteps({ leaf }: ClassFinding, { identity, address }: Refused): readonly ClassFinding[] {
  const isAfterToken = AFTER_TOKEN.has(leaf);
  return isAfterToken ? [fineLeaf("token-ok", `${whoOf(identity)} signs in to tenant ${address.tenantId}`)] : [];
}

interface ObjectQuestion {
  readonly client: VaultClient;
  readonly object: ClassObject;
  readonly fetched: FetchedObjects;
  readonly refused: Refused;
}

async function objectFindings(context: ClassContext, question: ObjectQuestion): Promise<readonly ClassFinding[]> {
  const { object, fetched, refused, client } = question;
  const id = objectIdOf(object);
  const failure = fetched.failures.find((candidate) => candidate.object === object);
  if (failure !== undefined) {
    const other =
      failure.reason === "ObjectNotFound" && object.version === undefined ? await otherType(client, object, context.signal) : undefined;
    if (other === undefined) return [refusalOf(failure, refused)];
    return [
      found(
        "object-wrong-type",
        `the vault has no ${object.type} ${object.name}, but a ${other} of that name`,
        `Write objectType: ${other} for ${object.name}, or correct objectName.`,
      ),
    ];
  }
  const files = fetched.files.filter(({ path }) => makesFile(object, path));
  return [files.map((file) => datedFinding(file, context.clock.now())).find((dated) => dated !== undefined) ?? readable(id, files)];
}

function readable(id: string, files: readonly ObjectFile[]): ClassFinding {
  const versions = [...new Set(files.map(({ version }) => version))].join(", ");
  return fineLeaf("object-ok", `${id}${versions === "" ? "" : `, version ${versions}`}`);
}

/** The vault hands out what has expired, and what is not valid yet, all the same. */
function datedFinding({ objectId, version, expires, notBefore }: ObjectFile, now: number): ClassFinding | undefined {
  if (expires !== undefined && expires <= now) {
    return found(
      "object-expired",
      `${objectId}, version ${version}, expired at ${rfc3339(expires)}; it is mirrored all the same`,
      `Set a new version of ${objectId} in the vault.`,
    );
  }
  if (notBefore === undefined || notBefore <= now) return undefined;
  return found(
    "object-not-yet-valid",
    `${objectId}, version ${version}, is not valid before ${rfc3339(notBefore)}; it is mirrored all the same`,
    `Change the activation date of ${objectId}, or name a version that is valid.`,
  );
}

const TYPES: readonly ObjectType[] = ["secret", "key", "cert"];

/** Where the object is, if it is of another type and the identity may see that. A certificate has a secret and a key of its name. */
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
