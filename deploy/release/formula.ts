import manifest from '../../package.json' with { type: 'json' };

export interface DownloadOptions {
  /** SHA-256, by file name. */
  sums: ReadonlyMap<string, string>;
  /** Where the files will be. */
  url: string;
}

/** The archives of `vouch` that have been made, by platform. */
export function archives({
  sums,
  url,
}: DownloadOptions): { platform: string; file: string; url: string; sum: string }[] {
  return [...sums].flatMap(([file, sum]) => {
    const [, platform] = /^vouch-\d[^-]*-((?:linux|darwin)-\w+)\.tar\.gz$/.exec(file) ?? [];
    return platform === undefined ? [] : [{ platform, file, sum, url: `${url.replace(/\/+$/, '')}/${file}` }];
  });
}

const SYSTEMS = { darwin: 'on_macos', linux: 'on_linux' } as const;
const ARCHITECTURES = { arm64: 'on_arm', x64: 'on_intel' } as const;

/** The formula for Homebrew (https://docs.brew.sh/Formula-Cookbook). It installs the archives of `vouch`, not the server. */
export function formula(options: DownloadOptions): string {
  const made = archives(options);
  const systems = Object.entries(SYSTEMS).map(([system, block]) => {
    const parts = Object.entries(ARCHITECTURES).flatMap(([arch, inner]) =>
      made
        .filter(({ platform }) => platform === `${system}-${arch}`)
        .map(({ url, sum }) => `    ${inner} do\n      url "${url}"\n      sha256 "${sum}"\n    end\n`),
    );
    return parts.length > 0 ? `  ${block} do\n${parts.join('\n')}  end\n\n` : '';
  });
  return `class Vouch < Formula
  desc "Sign in once a day with a security key, and use Git with AWS CodeCommit"
  homepage "${options.url}"
  version "${manifest.version}"
  license "${manifest.license}"

${systems.join('')}  def install
    libexec.install Dir["*"]
    bin.install_symlink Dir[libexec/"bin/*"]
    man1.install_symlink Dir[libexec/"share/man/man1/*"]
    bash_completion.install_symlink Dir[libexec/"share/bash-completion/completions/*"]
    zsh_completion.install_symlink Dir[libexec/"share/zsh/site-functions/*"]
    fish_completion.install_symlink Dir[libexec/"share/fish/vendor_completions.d/*"]
  end

  def caveats
    <<~EOS
      If the agent is a service, run \`vouch agent install\` again after an upgrade.
    EOS
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/vouch --version")
  end
end
`;
}
