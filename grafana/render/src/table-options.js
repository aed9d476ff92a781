// @grafana/ui asks for this file under a name that @grafana/schema does not export.
export * from '../node_modules/@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/types.gen.mjs';
export const defaultOptions = { frameIndex: 0, showHeader: true, showTypeIcons: false, sortBy: [] };
