/** Name under which the worker owns fields. It never changes: another name would leave the fields of the old one behind. */
export const FIELD_MANAGER = "keyvault-injector-sync";
