/** The import law: core ← operators ← ucwa | ews ← testing ← cli; no barrel from inside, no cycle. */
const onlyMayImport = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^(lib|operators)/', pathNot: allowed },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-barrel-from-inside',
      severity: 'error',
      from: { path: '^(lib|operators)/', pathNot: '(^|/)index\\.ts$|^lib/cli/' },
      to: { path: '(^|/)index\\.ts$', pathNot: 'node_modules' },
    },
    onlyMayImport('core-stands-alone', '^lib/core/', '^lib/core/'),
    onlyMayImport('operators-on-core', '^operators/', '^(lib/core|operators)/'),
    onlyMayImport('ucwa-never-imports-ews', '^lib/ucwa/', '^(lib/core|operators|lib/ucwa)/'),
    onlyMayImport('ews-never-imports-ucwa', '^lib/ews/', '^(lib/core|operators|lib/ews)/'),
    {
      name: 'nothing-imports-the-cli',
      severity: 'error',
      from: { pathNot: '^lib/cli/' },
      to: { path: '^lib/cli/' },
    },
    {
      name: 'library-never-imports-testing',
      severity: 'error',
      from: { path: '^(lib|operators)/', pathNot: '^lib/(testing|cli)/' },
      to: { path: '^lib/testing/' },
    },
    {
      name: 'only-what-is-declared',
      severity: 'error',
      from: { path: '^(lib|operators)/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown'],
        pathNot: 'node_modules/rxjs',
      },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js'],
    },
  },
};
