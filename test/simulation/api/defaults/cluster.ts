import { isObject, type JsonObject, listAt, objectAt, stringAt } from "../json.ts";
import { type Defaulting, setting, settingIn } from "./setting.ts";

const RBAC = "rbac.authorization.k8s.io";

const subject: Defaulting = (given) => (given["kind"] === "User" || given["kind"] === "Group" ? setting({ apiGroup: RBAC })(given) : given);

const definition: Defaulting = (crd) => {
  const spec = objectAt(crd, "spec");
  const names = objectAt(spec, "names");
  const kind = stringAt(names, "kind") ?? "";
  const named = setting({ singular: kind.toLowerCase(), ...(kind === "" ? {} : { listKind: `${kind}List` }) })(names);
  const filled = setting({ conversion: { strategy: "None" } })(named === names ? spec : { ...spec, names: named });
  return storedVersions(filled === spec ? crd : { ...crd, spec: filled });
};

const storedVersions: Defaulting = (crd) => {
  const status = objectAt(crd, "status");
  if (listAt(status, "storedVersions").length > 0) return crd;
  const storing = listAt(objectAt(crd, "spec"), "versions").find((version) => isObject(version) && version["storage"] === true);
  const name = isObject(storing) ? storing["name"] : undefined;
  return name === undefined ? crd : { ...crd, status: { ...status, storedVersions: [name] } };
};

const service: Defaulting = (spec) => {
  const filled = setting({ sessionAffinity: "None", type: "ClusterIP" })(spec);
  const isInternal = ["NodePort", "LoadBalancer", "ClusterIP"].includes(stringAt(filled, "type") ?? "");
  return isInternal ? setting({ internalTrafficPolicy: "Cluster" })(filled) : filled;
};

const servicePort: Defaulting = (port) => {
  const target = port["targetPort"];
  const filled = setting({ protocol: "TCP" })(port);
  return target === undefined || target === 0 || target === "" ? { ...filled, targetPort: port["port"] ?? 0 } : filled;
};

/** Adds a label with the name, so that selectors can match a namespace by its name. */
const namespace: Defaulting = (object) => {
  const metadata = objectAt(object, "metadata");
  const name = stringAt(metadata, "name");
  const labels: JsonObject = objectAt(metadata, "labels");
  if (name === undefined || name === "" || labels["kubernetes.io/metadata.name"] === name) return object;
  return { ...object, metadata: { ...metadata, labels: { ...labels, "kubernetes.io/metadata.name": name } } };
};

export const CLUSTER_DEFAULTS: Readonly<Record<string, Defaulting>> = {
  "core.Secret": setting({ type: "Opaque" }),
  "core.Namespace": namespace,
  "core.NamespaceStatus": setting({ phase: "Active" }),
  "core.ServiceSpec": service,
  "core.ServicePort": servicePort,
  "rbac.RoleRef": setting({ apiGroup: RBAC }),
  "rbac.Subject": subject,
  "scheduling.PriorityClass": setting({ preemptionPolicy: "PreemptLowerPriority" }),
  "storage.CSIDriver": settingIn("spec", {
    attachRequired: true,
    podInfoOnMount: false,
    storageCapacity: false,
    fsGroupPolicy: "ReadWriteOnceWithFSType",
    volumeLifecycleModes: ["Persistent"],
    requiresRepublish: false,
    seLinuxMount: false,
  }),
  "apiextensions.CustomResourceDefinition": definition,
};
