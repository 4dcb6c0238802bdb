import { randomUUID } from "node:crypto";
import { opaque, type Place } from "../../support/worker/sync-world.ts";
import { CANARY, credentialsOf, type DoctoredClasses } from "./doctored-classes.ts";
import type { Fault } from "./fault.ts";

const HOUR = 3_600;
const now = (): number => Math.floor(Date.now() / 1_000);

type Strike =
  | { readonly kind: "status"; readonly status: number }
  | { readonly kind: "refusal"; readonly refusal: "firewall" | "private-link-only" | "perimeter" | "rbac" };

/** Creates a class whose object has this fault on every request. */
const strike = (here: DoctoredClasses, effect: Strike) => async (): Promise<Place> => {
  const name = await here.sync.object("struck");
  await here.sync.emulator.injectFault({ vault: here.sync.vault, path: `/secrets/${name}`, ...effect });
  return here.aClass({ objects: [name], secretObjects: [opaque("app", name)] });
};

export function vaultFaults(here: DoctoredClasses): readonly Fault[] {
  return [
    {
      leaf: "vault-other-tenant",
      plant: async () =>
        here.inANamespaceWithCredentials(credentialsOf(await here.anApplication()), { parameters: { tenantId: randomUUID() } }),
      message: /does not belong to tenant/,
    },
    {
      leaf: "permission-missing",
      plant: async () => here.inANamespaceWithCredentials(credentialsOf(await here.anApplication([]))),
      message: /is not allowed to get secrets \(HTTP 403/,
    },
    { leaf: "vault-firewall", plant: strike(here, { kind: "refusal", refusal: "firewall" }), message: /ForbiddenByFirewall/ },
    {
      leaf: "vault-private",
      title: "R4: vault-private: the vault takes connections by private link only, and nobody is blamed for a role",
      plant: strike(here, { kind: "refusal", refusal: "private-link-only" }),
      message: /does not allow public network access.*ForbiddenByConnection/,
    },
    {
      leaf: "vault-perimeter",
      title: "V3: vault-perimeter: the vault's network security perimeter refuses the connection",
      plant: strike(here, { kind: "refusal", refusal: "perimeter" }),
      message: /perimeter.*ForbiddenByNsp/,
    },
    {
      leaf: "permission-missing",
      title: "permission-missing: the identity has no role for it",
      plant: strike(here, { kind: "refusal", refusal: "rbac" }),
      message: /ForbiddenByRbac/,
    },
    { leaf: "vault-throttles", plant: strike(here, { kind: "status", status: 429 }), message: /HTTP 429/ },
    { leaf: "vault-fails", plant: strike(here, { kind: "status", status: 503 }), message: /HTTP 503/ },
    {
      leaf: "vault-api-version",
      plant: async () => {
        await here.sync.emulator.createVault({ name: "older-vault", tenantId: here.sync.tenantId, apiVersions: ["7.0", "7.1"] });
        return here.inANamespaceWithCredentials(credentialsOf(await here.anApplication()), { parameters: { keyvaultName: "older-vault" } });
      },
      message: /does not support version 7\.4 of the Key Vault API, only versions up to 7\.1/,
    },
    { leaf: "object-absent", plant: () => here.ofObject("nowhere"), message: /HTTP 404/ },
    {
      leaf: "object-absent",
      title: "V2: object-absent: the vault has no such object, which the class names with a history",
      plant: async () =>
        here.inANamespaceWithCredentials(credentialsOf(await here.anApplication(["get", "list"])), {
          objects: [{ objectName: "nowhere", objectType: "secret", objectVersionHistory: 2 }],
          secretObjects: [opaque("app", "nowhere/0")],
        }),
      message: /HTTP 404/,
    },
    {
      leaf: "object-wrong-type",
      plant: async () => {
        await here.sync.emulator.createKey({ vault: here.sync.vault, name: "only-a-key" });
        const { appId, clientSecret } = await here.anApplication(["get", "keys/get"]);
        return here.inANamespaceWithCredentials(
          { clientid: appId, clientsecret: clientSecret },
          { objects: ["only-a-key"], secretObjects: [opaque("app", "only-a-key")] },
        );
      },
      message: /no secret only-a-key, but it has a key with that name/,
    },
    {
      leaf: "object-disabled",
      plant: async () => {
        const name = await here.sync.object("disabled");
        await here.sync.emulator.disableSecret({ vault: here.sync.vault, name });
        return here.ofObject(name);
      },
    },
    {
      leaf: "object-expired",
      plant: async () => {
        const name = await here.sync.object("old");
        await here.sync.emulator.setAttributes({ vault: here.sync.vault, name, expires: now() - HOUR });
        return here.ofObject(name);
      },
      message: /expired at \d{4}-/,
    },
    {
      leaf: "object-not-yet-valid",
      plant: async () => {
        const name = await here.sync.object("young");
        await here.sync.emulator.setAttributes({ vault: here.sync.vault, name, notBefore: now() + HOUR });
        return here.ofObject(name);
      },
      message: /not valid before \d{4}-/,
    },
    { leaf: "object-invalid", plant: async () => here.ofObject(await here.sync.object(`${CANARY} is no hex`), { objectEncoding: "hex" }) },
  ];
}
