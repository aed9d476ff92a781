import path from 'node:path';

const here = path.dirname(new URL(import.meta.url).pathname);
const proxy = { '/prometheus': { target: 'http://127.0.0.1:9090', rewrite: (url) => url.replace(/^\/prometheus/, '') } };

export default {
  resolve: {
    alias: {
      'react-router-dom-v5-compat': 'react-router-dom',
      '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen': path.join(here, 'src/table-options.js'),
    },
  },
  define: { 'process.env.NODE_ENV': '"production"' },
  preview: { host: '127.0.0.1', port: 9595, strictPort: true, proxy },
  build: { chunkSizeWarningLimit: 99999, minify: false },
};
