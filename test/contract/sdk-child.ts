/**
 * The official SDKs in a separate process, as for a user: they read HTTPS_PROXY and NODE_EXTRA_CA_CERTS at the start, and use real host
 * names and real TLS. The process reads one command per line on stdin, and answers each with one JSON line on stdout.
 */
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import {
  AuthenticationError,
  ClientAssertionCredential,
  ClientSecretCredential,
  ManagedIdentityCredential,
  type TokenCredential,
  WorkloadIdentityCredential,
} from "@azure/identity";
import { CertificateClient } from "@azure/keyvault-certificates";
import { KeyClient } from "@azure/keyvault-keys";
import { SecretClient } from "@azure/keyvault-secrets";

import {
  type ClientSpec,
  type DeletionCall,
  type ObjectCall,
  type SdkAnswer,
  type SdkCall,
  type SdkCommand,
  type SecretCall,
  toLine,
} from "./sdk-protocol.ts";

interface Clients {
  readonly secrets: SecretClient;
  readonly keys: KeyClient;
  readonly certificates: CertificateClient;
}

const clients = new Map<string, Clients>();

/** One set of clients per distinct spec, so that a test can check a client's second request. */
function clientsFor(spec: ClientSpec): Clients {
  const key = JSON.stringify(spec);
  const known = clients.get(key);
  if (known !== undefined) return known;
  const credential = credentialFor(spec);
  const options = { retryOptions: { maxRetries: spec.maxRetries ?? 0, retryDelayInMs: 10 } };
  const made = {
    secrets: new SecretClient(spec.vaultUrl, credential, options),
    keys: new KeyClient(spec.vaultUrl, credential, options),
    certificates: new CertificateClient(spec.vaultUrl, credential, options),
  };
  clients.set(key, made);
  return made;
}

function credentialFor({ tenantId, clientId, clientSecret, authorityHost, credential }: ClientSpec): TokenCredential {
  const options = { ...(authorityHost === undefined ? {} : { authorityHost }), retryOptions: { maxRetries: 0 } };
  switch (credential?.kind) {
    case undefined:
      return new ClientSecretCredential(tenantId, clientId, clientSecret, options);
    case "assertion":
      return new ClientAssertionCredential(tenantId, clientId, () => Promise.resolve(credential.token), options);
    case "workloadIdentity":
      return new WorkloadIdentityCredential({ ...options, tenantId, clientId, tokenFilePath: credential.tokenFilePath });
    case "managedIdentity": {
      const { kind: _, ...choice } = credential;
      return new ManagedIdentityCredential({ ...choice, ...options });
    }
  }
}

async function run({ client: spec, call }: SdkCommand): Promise<unknown> {
  const { secrets, ...others } = clientsFor(spec);
  if (isDeletionCall(call)) return runDeletion(clientsFor(spec), call);
  return isSecretCall(call) ? runOnSecrets(secrets, call) : runOnObjects(others, call);
}

function isDeletionCall(call: SdkCall): call is DeletionCall {
  return "object" in call;
}

function isSecretCall(call: SecretCall | ObjectCall): call is SecretCall {
  return ["get", "set", "update", "list", "versions"].includes(call.kind);
}

function runOnSecrets(secrets: SecretClient, call: SecretCall): Promise<unknown> {
  switch (call.kind) {
    case "get": {
      const timeout = call.timeoutMs === undefined ? {} : { requestOptions: { timeout: call.timeoutMs } };
      return secrets.getSecret(call.name, { ...versionOf(call), ...timeout });
    }
    case "set":
      return secrets.setSecret(call.name, call.value, call.options ?? {});
    case "update": {
      const { notBefore, expiresOn, ...rest } = call.properties;
      const dates = {
        ...(notBefore === undefined ? {} : { notBefore: new Date(notBefore) }),
        ...(expiresOn === undefined ? {} : { expiresOn: new Date(expiresOn) }),
      };
      return secrets.updateSecretProperties(call.name, call.version, { ...rest, ...dates });
    }
    case "list":
      return collect(secrets.listPropertiesOfSecrets());
    case "versions":
      return collect(secrets.listPropertiesOfSecretVersions(call.name));
  }
}

function runOnObjects({ keys, certificates }: Omit<Clients, "secrets">, call: ObjectCall): Promise<unknown> {
  switch (call.kind) {
    case "key":
      return keys.getKey(call.name, versionOf(call));
    case "keys":
      return collect(keys.listPropertiesOfKeys());
    case "keyVersions":
      return collect(keys.listPropertiesOfKeyVersions(call.name));
    case "certificate":
      return call.version === undefined
        ? certificates.getCertificate(call.name)
        : certificates.getCertificateVersion(call.name, call.version);
    case "certificates":
      return collect(certificates.listPropertiesOfCertificates());
    case "certificateVersions":
      return collect(certificates.listPropertiesOfCertificateVersions(call.name));
  }
}

const POLLING = { intervalInMs: 10 };

interface Deletions {
  begin(name: string): Promise<{ pollUntilDone(): Promise<unknown> }>;
  get(name: string): Promise<unknown>;
  beginRecovery(name: string): Promise<{ pollUntilDone(): Promise<unknown> }>;
  purge(name: string): Promise<unknown>;
  all(): AsyncIterable<unknown>;
}

function deletionsOf({ secrets, keys, certificates }: Clients, object: DeletionCall["object"]): Deletions {
  switch (object) {
    case "secret":
      return {
        begin: (name) => secrets.beginDeleteSecret(name, POLLING),
        get: (name) => secrets.getDeletedSecret(name),
        beginRecovery: (name) => secrets.beginRecoverDeletedSecret(name, POLLING),
        purge: (name) => secrets.purgeDeletedSecret(name),
        all: () => secrets.listDeletedSecrets(),
      };
    case "key":
      return {
        begin: (name) => keys.beginDeleteKey(name, POLLING),
        get: (name) => keys.getDeletedKey(name),
        beginRecovery: (name) => keys.beginRecoverDeletedKey(name, POLLING),
        purge: (name) => keys.purgeDeletedKey(name),
        all: () => keys.listDeletedKeys(),
      };
    case "certificate":
      return {
        begin: (name) => certificates.beginDeleteCertificate(name, POLLING),
        get: (name) => certificates.getDeletedCertificate(name),
        beginRecovery: (name) => certificates.beginRecoverDeletedCertificate(name, POLLING),
        purge: (name) => certificates.purgeDeletedCertificate(name),
        all: () => certificates.listDeletedCertificates(),
      };
  }
}

async function runDeletion(clients: Clients, call: DeletionCall): Promise<unknown> {
  const deletions = deletionsOf(clients, call.object);
  switch (call.kind) {
    case "delete":
      return (await deletions.begin(call.name)).pollUntilDone();
    case "deleted":
      return deletions.get(call.name);
    case "recover":
      return (await deletions.beginRecovery(call.name)).pollUntilDone();
    case "purge":
      return deletions.purge(call.name);
    case "allDeleted":
      return collect(deletions.all());
  }
}

function versionOf({ version }: { readonly version?: string }): { readonly version?: string } {
  return version === undefined ? {} : { version };
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function failureOf(error: unknown): SdkAnswer {
  if (!(error instanceof Error)) return { ok: false, error: { name: "unknown", message: String(error) } };
  const details: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(error));
  return {
    ok: false,
    error: {
      name: error.name,
      message: error.message,
      statusCode: details.statusCode,
      code: details.code,
      details: details.details,
      response: error instanceof AuthenticationError ? error.errorResponse : undefined,
    },
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  // The suite that starts this process writes it.
  const command = JSON.parse(line) as SdkCommand;
  let answer: SdkAnswer;
  try {
    const value: unknown = await run(command);
    const text = typeof value === "object" && value !== null && "value" in value ? String(value.value) : "";
    answer = { ok: true, value, sha256: createHash("sha256").update(text).digest("hex") };
  } catch (error) {
    answer = failureOf(error);
  }
  process.stdout.write(toLine(answer));
}
