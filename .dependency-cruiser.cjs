/**
 * The import law: folders are stages, and a stage imports only itself and those before it. No barrel from inside, no
 * cycle; the two protocols never import each other, and nothing imports the operators.
 */
const CORE = ['rx', 'transport', 'auth', 'backoff', 'lifecycle', 'checkpoint'];
const UCWA = [
  'protocol',
  'transport',
  'auth',
  'discovery',
  'application',
  'channel',
  'batch',
  'session',
  'subscription',
  'presence',
];
const EWS = ['protocol', 'auth', 'discovery', 'session', 'subscription', 'pull', 'push', 'streaming'];
/** Siblings that never import each other. */
const SIBLINGS = ['pull', 'push', 'streaming'];

const onlyMayImport = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^(lib|operators)/', pathNot: allowed },
});

/** Files beside the folders of `root` may be imported when `below` says so. */
const stages = (root, folders, below) =>
  folders.map((folder, index) => {
    const earlier = folders
      .slice(0, index)
      .filter((one) => !(SIBLINGS.includes(folder) && SIBLINGS.includes(one)));
    const allowed = [...earlier, folder].join('|');
    return onlyMayImport(`${root}/${folder}`, `^${root}/${folder}/`, `^(${below}|${root}/(${allowed})/)`);
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
    onlyMayImport('core-first', '^lib/core/[^/]+$', '^lib/core/[^/]+$'),
    ...stages('lib/core', CORE, 'lib/core/[^/]+$'),
    onlyMayImport('operators-on-core', '^operators/', '^(lib/core|operators)/'),
    onlyMayImport('ucwa-on-core', '^lib/ucwa/', '^lib/(core|ucwa)/'),
    ...stages('lib/ucwa', UCWA, 'lib/core/'),
    onlyMayImport('ews-on-core', '^lib/ews/', '^lib/(core|ews)/'),
    ...stages('lib/ews', EWS, 'lib/core/'),
    onlyMayImport('tabs-on-core', '^lib/tabs/', '^lib/(core|tabs)/'),
    onlyMayImport('inspector-on-core', '^lib/inspector/[^/]+$', '^lib/(core/|inspector/[^/]+$)'),
    onlyMayImport(
      'playground-on-all',
      '^lib/inspector/playground/',
      '^lib/(core|ucwa|ews|testing|inspector)/',
    ),
    onlyMayImport('node-on-core', '^lib/node/', '^lib/(core|node)/'),
    {
      name: 'only-the-cli-imports-node',
      severity: 'error',
      from: { path: '^(lib|operators)/', pathNot: '^lib/(node|cli)/' },
      to: { path: '^lib/node/' },
    },
    {
      name: 'nothing-imports-the-cli',
      severity: 'error',
      from: { pathNot: '^lib/cli/' },
      to: { path: '^lib/cli/' },
    },
    {
      name: 'library-never-imports-testing',
      severity: 'error',
      from: { path: '^(lib|operators)/', pathNot: '^lib/(testing|cli|inspector/playground)/' },
      to: { path: '^lib/testing/' },
    },
    {
      name: 'one-file-imports-io-ts',
      comment: 'the build bundles io-ts into that file: see .ci/bundleCodecs.js',
      severity: 'error',
      from: { path: '^(lib|operators)/', pathNot: '^lib/core/codec\\.ts$' },
      to: { path: 'node_modules/(io|fp)-ts/', dependencyTypesNot: ['type-only'] },
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
