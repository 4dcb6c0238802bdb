import { isObject, type JsonObject, listAt, objectAt, stringAt } from "../json.ts";
import { all, type Defaulting, setting } from "./setting.ts";

const SOURCES_OF_A_VOLUME = (volume: JsonObject): boolean => Object.keys(volume).some((name) => name !== "name");

/** Whether the image has the tag `latest`, also by default. */
function isLatest(image: string): boolean {
  if (image.includes("@")) return false;
  const tag = image.slice(image.lastIndexOf("/") + 1).split(":")[1];
  return image !== "" && (tag === undefined || tag === "latest");
}

const pullPolicy: Defaulting = (container) => {
  const policy = isLatest(stringAt(container, "image") ?? "") ? "Always" : "IfNotPresent";
  return setting({ imagePullPolicy: policy })(container);
};

const requestsFromLimits: Defaulting = (container) => {
  const resources = objectAt(container, "resources");
  const limits = resources["limits"];
  if (!isObject(limits)) return container;
  return { ...container, resources: { ...resources, requests: { ...limits, ...objectAt(resources, "requests") } } };
};

const withRequests: Defaulting = (spec) => {
  const filled = (name: string): JsonObject =>
    spec[name] === undefined
      ? {}
      : { [name]: listAt(spec, name).map((container) => (isObject(container) ? requestsFromLimits(container) : container)) };
  return { ...spec, ...filled("containers"), ...filled("initContainers") };
};

/** Sets the defaults of every pod spec. The name of the account is also copied to its deprecated alias, or from it. */
const podSpec: Defaulting = (spec) => {
  const account = stringAt(spec, "serviceAccountName") ?? stringAt(spec, "serviceAccount");
  const filled = setting({
    dnsPolicy: "ClusterFirst",
    restartPolicy: "Always",
    securityContext: {},
    terminationGracePeriodSeconds: 30,
    schedulerName: "default-scheduler",
  })(spec);
  return account === undefined ? filled : { ...filled, serviceAccountName: account, serviceAccount: account };
};

/** Sets the defaults of pods, but not of templates. */
export const podAlone: Defaulting = (pod) => {
  const spec = withRequests(objectAt(pod, "spec"));
  return { ...pod, spec: setting({ enableServiceLinks: true })(spec) };
};

export const POD_DEFAULTS: Readonly<Record<string, Defaulting>> = {
  "core.Pod": podAlone,
  "core.PodSpec": podSpec,
  "core.Container": all(pullPolicy, setting({ terminationMessagePath: "/dev/termination-log", terminationMessagePolicy: "File" })),
  "core.EphemeralContainer": all(pullPolicy, setting({ terminationMessagePath: "/dev/termination-log", terminationMessagePolicy: "File" })),
  "core.ContainerPort": setting({ protocol: "TCP" }),
  "core.Volume": (volume) => (SOURCES_OF_A_VOLUME(volume) ? volume : { ...volume, emptyDir: {} }),
  "core.Probe": setting({ timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }),
  "core.HTTPGetAction": setting({ path: "/", scheme: "HTTP" }),
  "core.GRPCAction": (action) => (action["service"] === undefined ? { ...action, service: "" } : action),
  "core.SecretVolumeSource": setting({ defaultMode: 420 }),
  "core.ConfigMapVolumeSource": setting({ defaultMode: 420 }),
  "core.DownwardAPIVolumeSource": setting({ defaultMode: 420 }),
  "core.ProjectedVolumeSource": setting({ defaultMode: 420 }),
  "core.ServiceAccountTokenProjection": setting({ expirationSeconds: 3600 }),
  "core.ObjectFieldSelector": setting({ apiVersion: "v1" }),
  "core.HostPathVolumeSource": (source) => (source["type"] === undefined ? { ...source, type: "" } : source),
};
