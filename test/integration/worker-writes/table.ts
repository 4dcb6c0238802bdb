/** Changes that a thief of the worker's token would make to the objects that healing may write, as JSON Patches. */

import { listAt, readManifests } from "../../support/cluster/shipped-manifests.ts";
import { add, CONTAINER, HELD, type Operation, POD, POD_CHANGES, remove, replace, volumeChanges } from "./pod-changes.ts";

export interface Target {
  /** Name for use in a sentence. */
  readonly name: string;
  /** Path of the collection. */
  readonly collection: string;
  readonly object: string;
  /** Pattern that matches the policies. One of them rejects the change. */
  readonly policy: string;
  readonly changes: Readonly<Record<string, readonly Operation[]>>;
  /** Changes that are possible only for an existing object. */
  readonly onlyOnUpdate?: readonly string[];
  /** Changes of immutable fields, which are possible only in a new object. */
  readonly onlyAnew?: readonly string[];
}

const OWN = "keyvault-injector";
const EVERYTHING = { apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*/*"], scope: "*" };
const REGISTRATION = "/apis/admissionregistration.k8s.io/v1";

/** A CA whose private key no longer exists. */
const FOREIGN_CA = Buffer.from(
  `-----BEGIN CERTIFICATE-----
MIIBfDCCASGgAwIBAgIUNs1n45Id0jAodTAbLGeOpuan160wCgYIKoZIzj0EAwIw
EjEQMA4GA1UEAwwHcGxhbnRlZDAgFw0yNjExMjYxNzE0NTlaGA8yMTI2MTEwMjE3
MTQ1OVowEjEQMA4GA1UEAwwHcGxhbnRlZDBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABF11MAyvjjCfaYZM/yFgTEhhXTSWuTwTdBPSYywmDJ3LBz1JISBykE0HVbCH
JDzbSQQdZv/Mrrctvd+Y86nOwVSjUzBRMB0GA1UdDgQWBBSg0cIMPZqvmCmJ5zr4
GbddDsSDbjAfBgNVHSMEGDAWgBSg0cIMPZqvmCmJ5zr4GbddDsSDbjAPBgNVHRMB
Af8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQDm0mLhN8g9mttGq0qVLDOGotUw
x4HcY0zS0PsRDcY7RQIhAMa2sNFLWuMi+7+rYWc7xxxT/1nd54pNJnZfmzilpcTr
-----END CERTIFICATE-----
`,
).toString("base64");

/** Changes of the webhook entry at the index. */
function webhookChanges(index: number): Readonly<Record<string, readonly Operation[]>> {
  const entry = `/webhooks/${index}`;
  return {
    "a rule for everything": [replace(`${entry}/rules`, [EVERYTHING])],
    "one more rule": [add(`${entry}/rules/-`, EVERYTHING)],
    "another operation": [add(`${entry}/rules/0/operations/-`, "DELETE")],
    "other resources": [replace(`${entry}/rules/0/resources`, ["secrets"])],
    "every namespace": [replace(`${entry}/namespaceSelector`, {})],
    "its own namespace": [replace(`${entry}/namespaceSelector/matchExpressions/0/values`, ["kube-system"])],
    "kube-system": [replace(`${entry}/namespaceSelector/matchExpressions/0/values`, [OWN])],
    "no match condition": [remove(`${entry}/matchConditions`)],
    "a match condition that is always true": [replace(`${entry}/matchConditions/0/expression`, "true")],
    "a URL": [replace(`${entry}/clientConfig`, { url: "https://elsewhere.example/" })],
    "another service": [replace(`${entry}/clientConfig/service/name`, "other")],
    "a service of another namespace": [replace(`${entry}/clientConfig/service/namespace`, "default")],
    "another path": [replace(`${entry}/clientConfig/service/path`, "/livez")],
    "another port": [replace(`${entry}/clientConfig/service/port`, 8443)],
    "another CA": [add(`${entry}/clientConfig/caBundle`, FOREIGN_CA)],
    "a closed failure policy": [replace(`${entry}/failurePolicy`, "Fail")],
    "another match policy": [replace(`${entry}/matchPolicy`, "Exact")],
    "half a minute for every request": [replace(`${entry}/timeoutSeconds`, 30)],
    "other side effects": [replace(`${entry}/sideEffects`, "NoneOnDryRun")],
    "another review version": [add(`${entry}/admissionReviewVersions/-`, "v1beta1")],
    "another name": [replace(`${entry}/name`, "other.example.com")],
    "a second entry": [
      { op: "copy", from: entry, path: "/webhooks/-" },
      replace(`/webhooks/${index + 1}/name`, "second.example.com"),
      replace(`/webhooks/${index + 1}/rules`, [EVERYTHING]),
    ],
    "a certificate that somebody else has published": [
      add("/metadata/annotations", { "cert-manager.io/inject-ca-from": "default/of-the-attacker" }),
    ],
    ...HELD,
  };
}

/** Returns a shipped webhook entry, for a configuration of the other kind. */
const webhookOf = (file: string, index = 0): object => Object(listAt(readManifests(`base/${file}.yaml`)[0], "webhooks")[index]) as object; // Our own YAML.

const without = (names: readonly string[]): Readonly<Record<string, readonly Operation[]>> =>
  Object.fromEntries(Object.entries(POD_CHANGES).filter(([name]) => !names.includes(name)));

const CORE = "/api/v1/namespaces";
const APPS = "/apis/apps/v1/namespaces";
const PODS = "keyvault-injector-sync-(pods|workloads)";
const COMPONENTS = "keyvault-injector-sync-components";

const ACCOUNT_CHANGES: Readonly<Record<string, readonly Operation[]>> = {
  "a Secret": [add("/secrets", [{ name: "keyvault-injector-ca" }])],
  "its token in every pod": [add("/automountServiceAccountToken", true)],
  ...HELD,
};

const ROOT_SCHEMA = "/schema/openAPIV3Schema";

/** Adds the value in both versions that the driver serves. The path is relative to the fields of the spec. */
const eachVersion = (path: string, value: unknown, below = `${ROOT_SCHEMA}/properties/spec/properties`): readonly Operation[] =>
  [0, 1].map((index) => add(`/spec/versions/${index}${below}${path}`, value));

const DEPLOYMENT_CHANGES: Readonly<Record<string, readonly Operation[]>> = {
  ...POD_CHANGES,
  ...volumeChanges(false),
  "the host's network": [add(`${POD}/hostNetwork`, true)],
  "replicas for every node": [replace("/spec/replicas", 60)],
  "another spread": [add(`${POD}/topologySpreadConstraints/0/whenUnsatisfiable`, "DoNotSchedule")],
};

const { reinvocationPolicy: _ofMutations, ...injecting } = webhookOf("webhook-configuration") as Readonly<Record<string, unknown>>;

export const TARGETS: readonly Target[] = [
  {
    name: "the configuration that injects",
    collection: `${REGISTRATION}/mutatingwebhookconfigurations`,
    object: OWN,
    policy: "keyvault-injector-sync-webhooks",
    changes: {
      ...webhookChanges(0),
      "another reinvocation": [replace("/webhooks/0/reinvocationPolicy", "Never")],
      "an entry of the other configuration": [add("/webhooks/-", webhookOf("preflight-configuration"))],
    },
  },
  {
    name: "the configuration that warns",
    collection: `${REGISTRATION}/validatingwebhookconfigurations`,
    object: OWN,
    policy: "keyvault-injector-sync-webhooks",
    changes: { ...webhookChanges(1), "an entry of the other configuration": [add("/webhooks/-", injecting)] },
  },
  {
    name: "the worker's Deployment",
    collection: `${APPS}/${OWN}/deployments`,
    object: "keyvault-injector-sync",
    policy: PODS,
    changes: DEPLOYMENT_CHANGES,
  },
  {
    name: "the webhook's Deployment",
    collection: `${APPS}/${OWN}/deployments`,
    object: "keyvault-injector-webhook",
    policy: PODS,
    changes: DEPLOYMENT_CHANGES,
  },
  {
    name: "the driver's DaemonSet",
    collection: `${APPS}/kube-system/daemonsets`,
    object: "csi-secrets-store",
    policy: PODS,
    // The driver is privileged and has its own account.
    changes: {
      ...without(["privileges", "another capability", "another account"]),
      ...volumeChanges(true),
      "another account": [replace(`${POD}/serviceAccountName`, "default"), replace(`${POD}/serviceAccount`, "default")],
      "another flag": [add(`${CONTAINER}/args/-`, "--v=9")],
      "a container less": [remove(`${POD}/containers/2`)],
      "a mount less": [remove(`${CONTAINER}/volumeMounts/0`)],
      "the host's network": [add(`${POD}/hostNetwork`, true)],
    },
  },
  {
    name: "the provider's DaemonSet",
    collection: `${APPS}/kube-system/daemonsets`,
    object: "csi-secrets-store-provider-azure",
    policy: PODS,
    changes: {
      // On the host's network, a container port is always a host port too.
      ...without(["a port of the host", "a variable less"]),
      ...volumeChanges(true),
      "a variable of a Secret": [
        add(`${CONTAINER}/env`, [{ name: "KEY", valueFrom: { secretKeyRef: { name: "keyvault-injector-ca", key: "ca.key" } } }]),
      ],
      "a variable that loads code": [add(`${CONTAINER}/env`, [{ name: "GODEBUG", value: "x" }])],
      "another flag": [add(`${CONTAINER}/args/-`, "--v=9")],
    },
  },
  {
    name: "the webhook's Service",
    collection: `${CORE}/${OWN}/services`,
    object: "keyvault-injector-webhook",
    policy: COMPONENTS,
    changes: {
      "other pods": [replace("/spec/selector", { app: "elsewhere" })],
      "no pods": [remove("/spec/selector")],
      "a name of somebody's DNS": [
        replace("/spec", { type: "ExternalName", externalName: "elsewhere.example", ports: [{ name: "admission", port: 443 }] }),
      ],
      "an address from outside": [add("/spec/externalIPs", ["192.0.2.1"])],
      "another port": [replace("/spec/ports/0/targetPort", 9090)],
      "a way in from outside": [replace("/spec/type", "NodePort")],
      "pods that are not ready": [add("/spec/publishNotReadyAddresses", true)],
      ...HELD,
    },
  },
  {
    name: "the webhook's account",
    collection: `${CORE}/${OWN}/serviceaccounts`,
    object: "keyvault-injector-webhook",
    policy: COMPONENTS,
    changes: ACCOUNT_CHANGES,
  },
  {
    name: "the driver's account",
    collection: `${CORE}/kube-system/serviceaccounts`,
    object: "secrets-store-csi-driver",
    policy: COMPONENTS,
    changes: ACCOUNT_CHANGES,
  },
  {
    name: "the webhook's budget",
    collection: `/apis/policy/v1/namespaces/${OWN}/poddisruptionbudgets`,
    object: "keyvault-injector-webhook",
    policy: COMPONENTS,
    changes: {
      "no drain of any node": [replace("/spec/maxUnavailable", 0)],
      "everybody's pods": [replace("/spec/selector", {})],
      "a number that must be there": [remove("/spec/maxUnavailable"), add("/spec/minAvailable", 2)],
      ...HELD,
    },
  },
  {
    name: "the PriorityClass",
    collection: "/apis/scheduling.k8s.io/v1/priorityclasses",
    object: OWN,
    policy: COMPONENTS,
    changes: {
      "every pod of the cluster": [add("/globalDefault", true)],
      "another value": [replace("/value", 5)],
      ...HELD,
    },
    onlyAnew: ["another value"],
  },
  {
    name: "the CSIDriver",
    collection: "/apis/storage.k8s.io/v1/csidrivers",
    object: "secrets-store.csi.k8s.io",
    policy: COMPONENTS,
    changes: {
      "tokens for the API server": [add("/spec/tokenRequests/-", { audience: "" })],
      "tokens for another audience": [replace("/spec/tokenRequests", [{ audience: "api://elsewhere" }])],
      "volumes that outlive pods": [replace("/spec/volumeLifecycleModes", ["Ephemeral", "Persistent"])],
      "pods that OpenShift keeps out": [add("/metadata/labels/security.openshift.io~1csi-ephemeral-volume-profile", "privileged")],
      ...HELD,
    },
    onlyAnew: ["volumes that outlive pods"],
  },
  {
    name: "the definition of classes",
    collection: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    object: "secretproviderclasses.secrets-store.csi.x-k8s.io",
    policy: "keyvault-injector-sync-definitions",
    changes: {
      "a conversion webhook": [
        replace("/spec/conversion", {
          strategy: "Webhook",
          webhook: { conversionReviewVersions: ["v1"], clientConfig: { url: "https://elsewhere.example/" } },
        }),
      ],
      "no secretObjects": [remove("/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/secretObjects")],
      "no parameters": [remove("/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/parameters")],
      "parameters that keep no key": eachVersion("/parameters", { type: "object" }),
      "a parameter for every class, by a default of its own": eachVersion("/parameters", {
        type: "object",
        "x-kubernetes-preserve-unknown-fields": true,
        properties: { useVMManagedIdentity: { type: "string", default: "true" } },
      }),
      "a parameter for every class, by a default of all": eachVersion("/parameters/default", { useVMManagedIdentity: "true" }),
      "no class that can be written": eachVersion("/x-kubernetes-validations", [{ rule: "false", message: "no" }], ROOT_SCHEMA),
      "parameters that nobody can write": eachVersion("/parameters/maxProperties", 0),
      "Secrets of its own for every class": eachVersion("/secretObjects/default", [{ secretName: "of-the-thief" }]),
      "another type for every Secret": eachVersion("/secretObjects/items/properties/type/default", "Opaque"),
      "secretObjects that keep nothing": eachVersion("/secretObjects/items", { type: "object" }),
      "a status of its own": [add("/spec/versions/0/subresources", { status: {} }), add("/spec/versions/1/subresources", { status: {} })],
      "no version of the driver": [remove("/spec/versions/1")],
      "a version that is not served": [replace("/spec/versions/0/served", false)],
      ...HELD,
    },
    // The worker may recreate it with fewer versions, as a newer driver's definition has.
    onlyOnUpdate: ["no version of the driver", "a version that is not served"],
  },
];
