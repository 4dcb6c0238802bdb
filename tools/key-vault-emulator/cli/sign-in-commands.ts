import { readFile } from "node:fs/promises";
import { IDENTITY_KINDS } from "../imds/machine.ts";
import { CLOUD_NAMES } from "../network/clouds.ts";
import { type Command, choice, json, required, textFlag, UsageError } from "./command.ts";

/** Commands for workload identity federation and managed identities. */
export const signInCommands: readonly Command[] = [
  {
    name: "trust",
    arguments: ["ISSUER", "FILE"],
    options: {},
    help: "verify an issuer's tokens by FILE: a public key in PEM, or a key set as `kubectl get --raw /openid/v1/jwks` prints",
    run: async (call) => {
      const content = await readFile(required(call, 1), "utf8");
      const keys = content.includes("-----BEGIN ") ? { publicKeyPem: content } : { jwks: JSON.parse(content) as unknown };
      await call.emulator.trustIssuer({ issuer: required(call, 0), ...keys });
      return `tokens of ${required(call, 0)} can be verified`;
    },
  },
  {
    name: "tenant domain",
    arguments: ["TENANT", "DOMAIN"],
    options: {},
    help: "name a tenant by a domain, too",
    run: async (call) => {
      const [tenantId, domain] = [required(call, 0), required(call, 1)];
      await call.emulator.addTenantDomain({ tenantId, domain });
      return `${domain} is the tenant ${tenantId}`;
    },
  },
  {
    name: "federate",
    arguments: ["APP_ID", "ISSUER", "SUBJECT"],
    options: { audience: { type: "string" } },
    help: "a federated credential; SUBJECT is system:serviceaccount:NAMESPACE:NAME [--audience TEXT]",
    run: async (call) => {
      const [appId, issuer, subject] = [required(call, 0), required(call, 1), required(call, 2)];
      await call.emulator.addFederatedCredential({ appId, issuer, subject, audience: textFlag(call, "audience") });
      return `${subject} of ${issuer} may sign in as ${appId}`;
    },
  },
  {
    name: "identity create",
    arguments: ["KIND"],
    options: { cloud: { type: "string" }, tenant: { type: "string" } },
    help: "assign a managed identity to this machine; KIND is system or user [--cloud …] [--tenant GUID]",
    run: async (call) => {
      const kind = IDENTITY_KINDS.find((one) => one === required(call, 0));
      if (kind === undefined) throw new UsageError(`KIND: use one of ${IDENTITY_KINDS.join(", ")}`);
      const cloud = choice(call, "cloud", CLOUD_NAMES);
      return json(await call.emulator.createManagedIdentity({ kind, cloud, tenantId: textFlag(call, "tenant") }));
    },
  },
];
