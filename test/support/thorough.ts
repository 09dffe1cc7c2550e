// Loaded by mocha before the specs of `npm run verify`, in each of its processes.
process.env['THOROUGH'] = '1';
