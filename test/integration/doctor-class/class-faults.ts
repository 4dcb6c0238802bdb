import { randomUUID } from "node:crypto";
import { CLASS_ANNOTATIONS } from "../../../src/domain/annotations.ts";
import { classReader } from "../../support/cluster/class-reader.ts";
import { classOf, createClass, opaque } from "../../support/worker/sync-world.ts";
import type { DoctoredClasses } from "./doctored-classes.ts";
import type { Fault } from "./fault.ts";

/** Faults of the class, and of the identity that reads the vault for it. */
export function classFaults(here: DoctoredClasses): readonly Fault[] {
  return [
    {
      leaf: "class-absent",
      plant: async () => ({ namespace: await here.sync.namespace(), name: "nowhere" }),
      message: /^SecretProviderClass \S+ does not exist/,
    },
    {
      leaf: "class-unreadable",
      plant: () => here.aClass(),
      asked: async (place) => ({ kubeconfig: await classReader(here.sync.plane, place.namespace, "") }),
      message: /you lack permission to get/,
    },
    {
      leaf: "class-not-azure",
      plant: async () => {
        const place = { namespace: await here.sync.namespace(), name: "demo" };
        const provider = classOf(here.sync, { ...place, objects: [], secretObjects: [] });
        await createClass(here.sync.plane, { ...provider, spec: { ...provider.spec, provider: "vault" } });
        return place;
      },
    },
    { leaf: "class-invalid", plant: () => here.aClass({ parameters: { tenantId: "" } }), message: /tenant/ },
    {
      leaf: "class-limited",
      plant: async () => {
        await here.setWorkerArguments(["sync", "--allowed-vaults=another"]);
        return here.aClass();
      },
      message: /does not allow the vault/,
      repair: () => here.setWorkerArguments(["sync"]),
    },
    {
      leaf: "secret-object-invalid",
      plant: () => here.aClass({ secretObjects: [{ ...opaque("app", here.object), type: "helm.sh/release.v1" }] }),
      message: /never written/,
    },
    {
      leaf: "secret-object-invalid",
      plant: () =>
        here.aClass({
          secretObjects: [{ secretName: "app", type: "kubernetes.io/tls", data: [{ objectName: here.object, key: "tls.crt" }] }],
        }),
    },
    { leaf: "identity-unsupported", plant: () => here.aClass({ parameters: { usePodIdentity: "true" } }), message: /pod identity/ },
    {
      leaf: "credentials-unreadable",
      plant: () => here.aClass(),
      asked: async (place) => ({ kubeconfig: await classReader(here.sync.plane, place.namespace, "get") }),
      message: /you lack permission to get secrets/,
    },
    {
      leaf: "credentials-not-allowed",
      plant: () => here.aClass({ annotations: { [CLASS_ANNOTATIONS.credentialsSecret]: "other" } }),
      message: /named other/,
    },
    { leaf: "credentials-absent", plant: () => here.aClass({}, { credentials: false }), message: /^Secret \S+ does not exist/ },
    { leaf: "credentials-incomplete", plant: () => here.inANamespaceWithCredentials({ clientid: "only" }), message: /no clientsecret/ },
    {
      leaf: "credentials-padded",
      plant: () => here.inANamespaceWithCredentials({ clientid: "id\n", clientsecret: "secret" }),
      message: /^clientid of Secret \S+ begins or ends with white space/,
    },
    { leaf: "account-unknown", plant: () => here.aClass({ parameters: { clientID: randomUUID() } }), message: /no pod mounts the class/ },
    {
      leaf: "account-absent",
      plant: () => here.aClass({ parameters: { clientID: randomUUID() }, annotations: { [CLASS_ANNOTATIONS.serviceAccount]: "nobody" } }),
      message: /^ServiceAccount \S+\/nobody does not exist$/,
    },
    {
      leaf: "class-limited",
      plant: () => here.aClass({ parameters: { useVMManagedIdentity: "true" } }, { managedIdentity: false }),
      message: /does not allow managed-identity .* --managed-identity-namespaces/,
    },
    {
      leaf: "account-not-granted",
      plant: async () => {
        const place = await here.aClass(
          { parameters: { clientID: randomUUID() }, annotations: { [CLASS_ANNOTATIONS.serviceAccount]: "app" } },
          { accounts: ["other"] },
        );
        await here.anAccount(place.namespace, "app");
        return place;
      },
      message: /^no token for the ServiceAccount app: Namespace \S+ does not grant it/,
    },
    {
      leaf: "token-request-forbidden",
      plant: async () => {
        const place = await here.aClass({
          parameters: { clientID: randomUUID() },
          annotations: { [CLASS_ANNOTATIONS.serviceAccount]: "app" },
        });
        await here.anAccount(place.namespace, "app");
        return place;
      },
      asked: async (place) => ({ kubeconfig: await classReader(here.sync.plane, place.namespace, "get") }),
      message: /^you lack permission to get a token of ServiceAccount \S+\/app/,
    },
    { leaf: "cloud-elsewhere", plant: () => here.aClass({ parameters: { cloudName: "AzureStackCloud", cloudEnvFileName: "cloud.json" } }) },
    {
      leaf: "identity-binding-elsewhere",
      plant: async () => {
        await here.setWorkerArguments(["sync", "--identity-bindings=true"]);
        return here.bound();
      },
      message: /only pods can reach its token proxy/,
      repair: () => here.setWorkerArguments(["sync"]),
    },
    {
      leaf: "managed-identity-elsewhere",
      plant: () => here.aClass({ parameters: { useVMManagedIdentity: "true" } }),
      message: /not available on this machine/,
    },
  ];
}
