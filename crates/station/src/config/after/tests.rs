use super::super::StationConfig;

const BASE: &str = "version = 1\norigin = \"keylog.example.com/plant7/stn03\"\n";
const PRINTER: &str = "[[printer]]\nname = \"bench\"\naddress = \"192.0.2.17:9100\"\n";
const LABEL: &str = "[[label]]\nprofile = \"example.toml\"\nprinter = \"bench\"\ntemplate = \"example.zpl\"\nsymbol = \"qr\"\nmodule_dots = 4\n";

fn read(sections: &str) -> Result<StationConfig, String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("station.toml");
    for (name, text) in [
        ("profiles/example.toml", include_str!("../../../defaults/example.toml")),
        ("labels/example.zpl", include_str!("../../../defaults/label.zpl")),
        ("labels/example.toml", include_str!("../../../defaults/label.toml")),
        ("labels/wrong.zpl", "^XA\n^FD{secret}^FS\n^XZ\n"),
        ("labels/outside.zpl", "^XA\n\n^FO{serial},10^FDx^FS\n^XZ\n"),
    ] {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    std::fs::write(&file, format!("{BASE}{sections}")).unwrap();
    StationConfig::read(&file).map_err(|e| e.to_string().replace(&format!("{}/", dir.path().display()), ""))
}

#[test]
fn without_a_section_nothing_comes_after_a_pass() {
    let config = read("").unwrap();
    assert!(config.printers.is_empty() && config.labels.is_empty() && config.hooks.is_empty());
    assert!(config.outbox.is_none());
}

/// The example that a new station has in its settings.
#[test]
fn what_init_writes_is_read_without_its_comment_signs() {
    let text = include_str!("../../../defaults/station.toml");
    let (_, after) = text.split_once("# What comes after a PASS").unwrap();
    let sections: String = after
        .lines()
        .skip_while(|line| *line != "#")
        .map(|line| line.strip_prefix("# ").filter(|line| !line.starts_with('#')).unwrap_or_default())
        .map(|line| format!("{line}\n"))
        .collect();
    let config = read(&sections).unwrap();
    assert_eq!((config.printers.len(), config.labels.len(), config.hooks.len()), (1, 1, 1));
    assert!(config.outbox.is_some());
}

#[test]
fn each_section_is_read() {
    let paper = "[[printer]]\nname = \"files\"\npdf_folder = \"/srv/labels\"\n[[label]]\nprofile = \"example.toml\"\nprinter = \"files\"\ntemplate = \"example.toml\"\nsymbol = \"data-matrix\"\n";
    let hook = "[[hook]]\non = [\"pass\", \"job-closed\"]\nprogram = \"/usr/local/bin/mes\"\nseconds = 10\n";
    let outbox = "[outbox]\nurl = \"https://mes.example.com/keystation\"\nca_file = \"/etc/ca.pem\"\ntoken_file = \"/etc/token\"\nseconds = 10\n";
    let config = read(&format!("{PRINTER}{LABEL}{paper}{hook}{outbox}")).unwrap();
    assert_eq!((config.printers.len(), config.labels.len(), config.hooks.len()), (2, 2, 1));
    assert_eq!(config.hooks[0].name(), "mes");
    assert!(config.outbox.is_some());
    assert!(read("[outbox]\nfolder = \"/srv/out\"\n").unwrap().outbox.is_some());
    let local = "[outbox]\nurl = \"http://127.0.0.1:8080/\"\ntoken_file = \"/etc/token\"\nseconds = 10\n";
    assert!(read(local).unwrap().outbox.is_some());
}

#[test]
fn a_mistyped_setting_is_named_by_file_and_line() {
    let label = |from: &str, to: &str| {
        let changed = LABEL.replacen(from, to, 1);
        assert_ne!(changed, LABEL, "{from}");
        format!("{PRINTER}{changed}")
    };
    let http = |lines: &str| format!("[outbox]\n{lines}\n");
    for (sections, expected) in [
        (
            "[[printer]]\nname = \"Bench\"\nfile = \"/dev/usb/lp0\"\n".to_owned(),
            "station.toml:4: `name`: 1 to 32",
        ),
        (format!("{PRINTER}{PRINTER}"), "station.toml:7: `name`: there is a printer of this name already"),
        ("[[printer]]\nname = \"bench\"\n".to_owned(), "station.toml:3: `printer`: one of `address`"),
        (format!("{PRINTER}file = \"/dev/usb/lp0\"\n"), "station.toml:3: `printer`: one of `address`"),
        (
            PRINTER.replace("192.0.2.17:9100", "printer.example.com:9100"),
            "station.toml:5: `address`: an IP address",
        ),
        (PRINTER.replace("192.0.2.17:9100", "192.0.2.17"), "station.toml:5: `address`: an IP address"),
        (format!("{PRINTER}answer = \"maybe\"\n"), "station.toml:6: unknown variant `maybe`"),
        (
            "[[printer]]\nname = \"b\"\nfile = \"lp0\"\n".to_owned(),
            "station.toml:5: `file`: an absolute path",
        ),
        (
            "[[printer]]\nname = \"b\"\nfile = \"/l\"\nanswer = \"close\"\n".to_owned(),
            "station.toml:6: `answer`: it belongs to `address`",
        ),
        (format!("{PRINTER}color = 1\n"), "station.toml:6: unknown field `color`"),
        (label("bench", "other"), "station.toml:8: `printer`: no [[printer]] has this name"),
        (label("example.toml", "no.toml"), "station.toml:7: `profile`: no file"),
        (label("example.zpl", "no.zpl"), "labels/no.zpl: No such file"),
        (label("example.zpl", "wrong.zpl"), "labels/wrong.zpl:2: there is no placeholder {secret}"),
        (label("example.zpl", "outside.zpl"), "labels/outside.zpl:3: {serial} stands behind ^FO"),
        (label("qr", "aztec"), "station.toml:10: unknown variant `aztec`"),
        (label("module_dots = 4", "module_dots = 0"), "station.toml:11: `module_dots`: 1 to 20"),
        (label("module_dots = 4\n", ""), "station.toml:6: `label`: ZPL needs `module_dots`"),
        (
            format!("{PRINTER}{LABEL}{LABEL}"),
            "station.toml:12: `label`: this product has a label on this printer already",
        ),
        (
            format!("[[printer]]\nname = \"bench\"\npdf_folder = \"/l\"\n{LABEL}"),
            "station.toml:11: `module_dots`: it belongs to ZPL",
        ),
        (
            "[[hook]]\non = [\"pass\", \"passed\"]\nprogram = \"/p\"\nseconds = 1\n".to_owned(),
            "station.toml:4: `on`: pass, fail",
        ),
        (
            "[[hook]]\non = []\nprogram = \"/p\"\nseconds = 1\n".to_owned(),
            "station.toml:4: `on`: it is called for nothing",
        ),
        (
            "[[hook]]\non = [\"pass\"]\nprogram = \"p\"\nseconds = 1\n".to_owned(),
            "station.toml:5: `program`: an absolute path",
        ),
        (
            "[[hook]]\non = [\"pass\"]\nprogram = \"/p\"\nseconds = 0\n".to_owned(),
            "station.toml:6: `seconds`: 1 to 300",
        ),
        ("[[hook]]\non = [\"pass\"]\nprogram = \"/p\"\n".to_owned(), "missing field `seconds`"),
        (http(""), "station.toml:3: `outbox`: either `folder` or `url`"),
        (
            http("folder = \"/o\"\nseconds = 1"),
            "station.toml:3: `outbox`: `ca_file`, `token_file` and `seconds` belong to `url`",
        ),
        (
            http("url = \"https://mes.example.com\"\nseconds = 1"),
            "station.toml:3: `outbox`: `https` and `ca_file` belong together",
        ),
        (
            http("url = \"http://mes.example.com\"\ntoken_file = \"/t\"\nseconds = 1"),
            "station.toml:3: `outbox`: a token goes over `https`",
        ),
        (http("url = \"http://mes.example.com\""), "station.toml:3: `outbox`: `url` needs `seconds`"),
        (
            http("url = \"http://u:p@mes.example.com\"\nseconds = 1"),
            "station.toml:4: `url`: no user, password",
        ),
        (
            http("url = \"http://mes.example.com/?token=x\"\nseconds = 1"),
            "station.toml:4: `url`: no user, password",
        ),
        (
            http("url = \"ftp://mes.example.com\"\nseconds = 1"),
            "station.toml:4: `url`: it begins with https://",
        ),
        (http("url = \"http://:80/\"\nseconds = 1"), "station.toml:4: `url`: it names no host"),
        (
            http("url = \"http://mes.example.com\"\nseconds = 31"),
            "station.toml:5: `seconds`: 1 to 30 are possible",
        ),
        (http("token = \"example\""), "station.toml:4: unknown field `token`"),
    ] {
        let error = read(&sections).unwrap_err();
        assert!(error.contains(expected), "{error}\nexpected {expected}");
    }
}
