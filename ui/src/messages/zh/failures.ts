import { told } from "../told";
import type { FailureWords, SafetyWords } from "../words";

export const safety: SafetyWords = {
  untouched: "未向设备写入任何内容。",
  "not-keyed": "设备未接受新密钥。",
  unknown: "设备可能已有密钥。不得出货：请重新插入。",
  unrecorded: "设备已有密钥，但记录不完整。不得出货：请重新插入。",
};

const again = "重新插入设备。";
const repair = "再次失败：送维修。";
const apart = "将设备单独放置。";

export const failures: FailureWords = {
  unplugged: told("设备被拔出。", "检查线缆。", again),
  silent: told("设备无应答。", "检查设备是否通电。", again, "仍无应答：送维修。"),
  garbled: told("设备有应答，但不符合协议。", again, "再次失败：检查固件版本。"),
  unsupported: told("设备使用本站不支持的协议。", "检查设备固件。", "检查产品配置。"),
  refused: told("设备拒绝了命令。", again, repair),
  "storage-failed": told("设备无法保存密钥。", again, repair),
  locked: told("设备已锁定：此前已完成生产。", "拔出设备。", "如需重新写入密钥：送维修。"),
  "no-identity": told(
    "设备没有可用的 MAC 地址或序列号。",
    "拔出设备。",
    "送维修：身份从未烧录，或产品配置不允许。",
  ),
  "already-keyed": told("设备已有密钥。", "拔出设备。", "如需重新写入密钥：送维修。"),
  "foreign-key": told("设备中的密钥在本站没有记录。", apart, "呼叫班长。"),
  "already-recorded": told(
    "该 MAC 地址和序列号已写入过密钥，但设备中没有密钥。",
    apart,
    "呼叫班长：是擦除的板子，还是仿制品？",
  ),
  twin: told(
    "另一槽位正在处理 MAC 地址和序列号相同的设备。",
    "将两台设备单独放置。",
    "呼叫班长：其中一台是仿制品。",
  ),
  "other-key": told(
    "曾用另一组密钥开始写入此设备，结果未结。",
    "请在该组密钥启用的工作站插入。",
    "无法做到：送维修。",
  ),
  "not-proven": told("设备未能证明持有密钥。", again, repair),
  "not-kept": told("重启后密钥丢失。", again, repair),
  "not-written": told("先前开始的写入未到达设备。", again, repair),
  "not-restarted": told("设备未重启。", again, repair),
  swapped: told("写入后应答的是另一台设备。", "将工位上所有设备单独放置。", "呼叫班长。"),
  "port-unavailable": told("端口无法打开。", "检查线缆。", "关闭占用该端口的其他程序。", again),
  "not-permitted": told("当前没有可写入密钥的人员登录。", "由操作员、维修或班长登录。", again),
  "vault-locked": told("密钥库已锁。", "解锁密钥库。", again),
  "vault-failed": told("密钥库无法使用组密钥。", "停止作业。", "呼叫密钥保管员。"),
  "key-inactive": told(
    "组密钥未启用：不会为任何设备生成密钥。",
    "检查产品配置中的 `group_key`：生产是否已换用其他密钥？",
    "已暂停：向班长询问原因。",
    "由两名密钥保管员启用。",
  ),
  unsecured: told(
    "日志过久未经见证：不再开始新作业。",
    "将日志送交见证方：keystation audit anchor request。",
    "然后导入其答复。",
    again,
  ),
  "space-low": told(
    "日志所在磁盘过满：不再开始新设备。",
    "保留设备。",
    "呼叫管理员：腾出空间，然后重启工作站。",
  ),
  "clock-doubted": told(
    "本站时钟倒退：不再开始新设备。",
    "保留设备。",
    "呼叫管理员：校准时钟。",
    "然后由两人确认时间：keystation clock accept。",
  ),
  unlisted: told("设备不在工单内。", apart, "核对标签与工单。", "呼叫班长。"),
  "wrong-oui": told("MAC 地址所属厂商与工单不符。", apart, "呼叫班长：是其他产品，还是从未烧录？"),
  "wrong-serial": told("序列号格式与工单不符。", apart, "呼叫班长：是其他产品，还是烧录错误？"),
  "no-label": told("未扫描设备标签。", "扫描标签。", again),
  "wrong-label": told("扫描的标签不属于此设备。", "核对标签与设备的对应关系。", "扫描正确的标签。", again),
  "other-board": told("该序列号或 MAC 地址已在另一块板上写入过密钥。", apart, "呼叫班长：换板由维修处理。"),
  moved: told("设备在槽位中时端口发生变化。", "设备留在原位。", "重新插入。", "再次发生：呼叫班长。"),
  "no-order": told("没有已打开的工单。", "由班长打开工单。", again),
  "order-full": told(
    "工单已满：已开始的设备达到工单数量。",
    "停止作业。",
    "呼叫班长：清点包装箱，然后关闭工单。",
  ),
  "log-failed": told("日志无法写入。", "停止作业。", "呼叫管理员：检查磁盘和日志。"),
};
