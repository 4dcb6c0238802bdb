export const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
export const LONGEST_LABEL = 63;
export const LONGEST_SUBDOMAIN = 253;

/** Whether a volume or a container can have the name. */
export function isDnsLabel(text: string): boolean {
  return text.length <= LONGEST_LABEL && DNS_LABEL.test(text);
}

/** Whether most objects can have the name: labels joined by dots. */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= LONGEST_SUBDOMAIN && text.split(".").every((label) => DNS_LABEL.test(label));
}
