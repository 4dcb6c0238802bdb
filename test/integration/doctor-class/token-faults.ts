import { randomUUID } from "node:crypto";
import { managedIdentityEnvironment } from "../../../tools/key-vault-emulator/emulator.ts";
import { CANARY, credentialsOf, type DoctoredClasses } from "./doctored-classes.ts";
import type { Fault } from "./fault.ts";

const LOGIN = "login.microsoftonline.com";

/** Faults of the sign-in. */
export function tokenFaults(here: DoctoredClasses): readonly Fault[] {
  return [
    {
      leaf: "client-secret-wrong",
      plant: async () => here.inANamespaceWithCredentials({ ...credentialsOf(await here.anApplication()), clientsecret: CANARY }),
      message: /AADSTS7000215/,
    },
    {
      leaf: "client-secret-expired",
      plant: async () => {
        await here.sync.emulator.injectFault({
          host: LOGIN,
          path: `/${here.sync.tenantId}/oauth2`,
          kind: "refusal",
          refusal: "expired-client-secret",
          times: 1,
        });
        return here.inANamespaceWithCredentials(credentialsOf(await here.anApplication()));
      },
      message: /AADSTS7000222/,
      repair: () => here.sync.emulator.clearFaults(),
    },
    {
      leaf: "application-unknown",
      plant: () => here.inANamespaceWithCredentials({ clientid: randomUUID(), clientsecret: "x" }),
      message: /AADSTS700016/,
    },
    {
      leaf: "tenant-unknown",
      plant: async () => {
        const tenantId = randomUUID();
        await here.sync.emulator.createVault({ name: "lone-vault", tenantId });
        await here.sync.emulator.injectFault({
          host: LOGIN,
          path: `/${tenantId}/oauth2`,
          kind: "refusal",
          refusal: "unknown-tenant",
          times: 1,
        });
        return here.inANamespaceWithCredentials(credentialsOf(await here.anApplication()), {
          parameters: { keyvaultName: "lone-vault", tenantId },
        });
      },
      message: /AADSTS90002/,
      repair: () => here.sync.emulator.clearFaults(),
    },
    {
      leaf: "not-federated",
      plant: () => here.federated(),
      message: /AADSTS70021\d?\b.*subject system:serviceaccount:team-\d+:app/,
    },
    {
      leaf: "token-refused",
      plant: async () => {
        await here.sync.emulator.injectFault({
          host: LOGIN,
          path: `/${here.sync.tenantId}/oauth2`,
          kind: "refusal",
          refusal: "conditional-access",
          times: 1,
        });
        return here.inANamespaceWithCredentials(credentialsOf(await here.anApplication()));
      },
      message: /AADSTS53003/,
      repair: () => here.sync.emulator.clearFaults(),
    },
    {
      leaf: "token-unanswered",
      plant: async () => {
        await here.sync.emulator.injectFault({ host: LOGIN, path: `/${here.sync.tenantId}/oauth2`, kind: "status", status: 503, times: 1 });
        return here.inANamespaceWithCredentials(credentialsOf(await here.anApplication()));
      },
      message: /the service is busy/,
      repair: () => here.sync.emulator.clearFaults(),
    },
    {
      leaf: "identity-binding-refused",
      plant: async () => {
        // doctor does not run in a pod here: the CA for the API server's certificate is missing.
        await here.setWorkerArguments(["sync", "--identity-bindings=true"]);
        return here.bound();
      },
      asked: async () => ({ environment: { KUBERNETES_SERVICE_HOST: "10.0.0.1" } }),
      message: /no token by identity binding: \S+\/ca\.crt, .*does not exist/,
      repair: () => here.setWorkerArguments(["sync"]),
    },
    {
      leaf: "managed-identity-refused",
      plant: () => here.aClass({ parameters: { useVMManagedIdentity: "true", userAssignedIdentityID: randomUUID() } }),
      asked: async () => ({ environment: { ...managedIdentityEnvironment(here.sync.emulator), KUBERNETES_SERVICE_HOST: "10.0.0.1" } }),
      message: /the node does not have this identity/,
    },
  ];
}
